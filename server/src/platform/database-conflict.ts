import { DriverException } from '@mikro-orm/sql';

/** Error numbers of MySQL and MariaDB, https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html */
const ER_LOCK_WAIT_TIMEOUT = 1_205;
const ER_LOCK_DEADLOCK = 1_213;
const ER_LOCK_NOWAIT = 3_572;
const ER_CHECKREAD = 1_020;
const CONFLICTS: ReadonlySet<number | undefined> = new Set([
  ER_LOCK_WAIT_TIMEOUT,
  ER_LOCK_DEADLOCK,
  ER_LOCK_NOWAIT,
  ER_CHECKREAD,
]);

/**
 * Whether a transaction failed only because another one stood in its way: two waited for each other, one waited too
 * long, or (`nowait`: MySQL says 3572, MariaDB 1205) didn't want to wait. Nothing was written; doing it again is right.
 */
export function isConflict(cause: unknown): boolean {
  return cause instanceof DriverException && CONFLICTS.has(cause.errno);
}

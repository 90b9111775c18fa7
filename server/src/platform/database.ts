import { Migrator } from '@mikro-orm/migrations';
import {
  type AbstractSqlDriver,
  DeadlockException,
  DriverException,
  type EntitySchema,
  IsolationLevel,
  LockWaitTimeoutException,
  MikroORM,
  type Options,
  type RequiredEntityData,
  type SqlEntityManager,
} from '@mikro-orm/sql';
import { z } from 'zod';
import { migrations } from '../../../migrations/index.ts';
import type { Outside } from './outside.ts';
import { type Backoff, retry } from './retry.ts';

/** Told to the operator as it stands: names the file or address, what is wrong and what to do about it. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

export type Orm = Awaited<ReturnType<typeof MikroORM.init<AbstractSqlDriver>>>;

/** A table as MikroORM's `defineEntity` describes it. Rooms define theirs beside their adapters. */
export type Table = EntitySchema;

/** What an opener of a dialect knows of its database. */
export interface DatabaseParts {
  readonly orm: Orm;
  /** Gives back what the opener holds besides the connection. */
  readonly afterClose?: () => void;
  /** For the pauses before a transaction that met another one is tried again; absent where transactions take turns. */
  readonly outside?: Pick<Outside, 'clock' | 'random'>;
}

interface TransactionOptions {
  /** What reads see: what is committed when they are made, or (`snapshot`) when the transaction's first one is. */
  readonly reads?: 'committed' | 'snapshot';
  /** How often it is tried when other transactions are in the way. */
  readonly attempts?: number;
}

/**
 * With these pauses ten tries take about a second. Our writers take their rows in one order and so rarely meet; who
 * still finds others in the way then stands behind something that holds its rows for long.
 */
const CONFLICT_ATTEMPTS = 10;
const CONFLICT_PAUSE: Backoff = { firstMs: 4, maxMs: 200 };

/** Error numbers that the ORM has no name for: MySQL's answer to `nowait`, MariaDB's to writing over a snapshot. */
const CONFLICTS_WITHOUT_NAME: readonly unknown[] = [3_572, 1_020];

/**
 * Whether a transaction failed only because another one stood in its way: two waited for each other, one waited too
 * long or didn't want to wait. Nothing was written; doing it again is right.
 */
export function isConflict(cause: unknown): boolean {
  if (cause instanceof DeadlockException || cause instanceof LockWaitTimeoutException) return true;
  return cause instanceof DriverException && CONFLICTS_WITHOUT_NAME.includes(cause.errno);
}

const timeRows = z.tuple([z.object({ now: z.int() })]);

/** The instant by the clock of MySQL or MariaDB, in milliseconds since the Unix epoch: the same for every node. */
export async function databaseTime(entities: SqlEntityManager): Promise<number> {
  const sql = "select timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000 as now";
  return timeRows.parse(await entities.execute(sql))[0].now;
}

/**
 * The connection that every room's SQL adapters share, the same on every database: dialects differ in how it is
 * opened (`database-sqlite.ts`), never in how it is used.
 */
export class Database {
  readonly #orm: Orm;
  readonly #afterClose: () => void;
  readonly #outside: DatabaseParts['outside'];

  /** Use an opener of a dialect. */
  constructor({ orm, afterClose, outside }: DatabaseParts) {
    this.#orm = orm;
    this.#afterClose = afterClose ?? (() => undefined);
    this.#outside = outside;
  }

  /**
   * An entity manager of its own: it caches nothing across calls and never slips into a transaction that another
   * call has open, whichever asynchronous context it is made in.
   */
  entities(): SqlEntityManager {
    return this.#orm.em.fork({ disableContextResolution: true });
  }

  /**
   * Runs `work` in one transaction: commits when it is fulfilled, rolls back when it rejects. On SQLite only one
   * transaction runs at a time, so `work` must use the manager it is given and wait for nothing outside. On MySQL
   * it runs again, after a jittered pause, when another transaction was in its way.
   */
  async transaction<T>(
    work: (entities: SqlEntityManager) => Promise<T>,
    { reads = 'committed', attempts = CONFLICT_ATTEMPTS }: TransactionOptions = {},
  ): Promise<T> {
    const options = reads === 'snapshot' ? { isolationLevel: IsolationLevel.REPEATABLE_READ } : {};
    const run = (): Promise<T> => this.entities().transactional(work, options);
    if (!this.#outside) return run();
    const isFinal = (cause: unknown): boolean => !isConflict(cause);
    return retry(this.#outside, { backoff: CONFLICT_PAUSE, attemptsMax: attempts, isFinal }, run);
  }

  /** Whether the database answers. */
  async isReady(): Promise<boolean> {
    return (await this.#orm.checkConnection()).ok;
  }

  async close(): Promise<void> {
    try {
      await this.#orm.close();
    } finally {
      this.#afterClose();
    }
  }
}

/** Of one statement: long ones cost memory and, past some megabytes, are refused. */
const ROWS_PER_INSERT = 1_000;

/**
 * Writes rows in plain statements: entities would cost a multiple of what the database needs for them. A row that is
 * there already fails them (`UniqueConstraintViolationException`), or is overwritten.
 */
export async function insertRows<Row extends object>(
  entities: SqlEntityManager,
  table: EntitySchema<Row>,
  rows: readonly RequiredEntityData<Row>[],
  { overwrite = false } = {},
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    const insert = entities.qb(table).insert(rows.slice(from, from + ROWS_PER_INSERT));
    try {
      await (overwrite ? insert.onConflict().merge() : insert).execute('run');
    } catch (cause) {
      // What a query builder meets, it gives as the driver said it.
      throw cause instanceof Error ? entities.getDriver().convertException(cause) : cause;
    }
  }
}

/** The ORM over a database, not connected yet, with the one list of migrations. */
export function ormOver(options: Options, tables: readonly Table[]): Promise<Orm> {
  return MikroORM.init({
    ...options,
    entities: [...tables],
    extensions: [Migrator],
    migrations: {
      tableName: 'schema_migrations',
      migrationsList: [...migrations],
      snapshot: false,
      silent: true,
    },
  });
}

/** How migrations that take something away are named: the version before can't work with what they leave. */
const TAKES_AWAY = /-contract(-|$)/;

/**
 * Runs the migrations that are missing, all in one transaction where the database can. Migrations of a newer version
 * are left alone as long as they only added: a node of this version may restart while the newer one is rolled out, or
 * after it was rolled back.
 * @param place how messages call the database
 * @throws DatabaseError if a newer version took away what this one needs
 */
export async function migrate(orm: Orm, place: string): Promise<void> {
  await missingMigrations(orm, place);
  await orm.migrator.up();
}

/**
 * The migrations that were not run yet, by name.
 * @param place how messages call the database
 * @throws DatabaseError if a newer version took away what this one needs
 */
export async function missingMigrations(orm: Orm, place: string): Promise<readonly string[]> {
  const known = migrations.map(({ name }) => name);
  const executed = (await orm.migrator.getExecuted()).map(({ name }) => name);
  const foreign = executed.find((name) => !known.includes(name) && TAKES_AWAY.test(name));
  if (foreign !== undefined) {
    throw new DatabaseError(
      `${place} was changed by a newer version of Stampede (it has the migration "${foreign}"). ` +
        'Start that version, or choose another place for the data.',
    );
  }
  return known.filter((name) => !executed.includes(name));
}

import { createHash } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import { MySqlConnection, MySqlDriver, type Options } from '@mikro-orm/mysql';
import { type Backoff, backoffMs } from './backoff.ts';
import { ConfigError } from './config-error.ts';
import { type DatabaseAddress, databaseAddress, shownDatabase } from './database-address.ts';
import { connectionTrouble } from './database-trouble.ts';
import {
  Database,
  DatabaseError,
  migrate,
  missingMigrations,
  type Orm,
  ormOver,
  type Table,
} from './database.ts';

export interface MysqlParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Told once per failed attempt, in one line without secrets. */
  readonly onTrouble: (message: string) => void;
  /** Ends the attempts. */
  readonly signal?: AbortSignal;
  /**
   * `run` (the default): brings the tables up to date. `await`: waits until somebody else has, because this user may
   * not. `ignore`: takes them as they are, to look at them.
   */
  readonly migrations?: 'run' | 'await' | 'ignore';
}

/** The setting that a database's address comes from, for messages. */
const SETTING = 'DATABASE_URL';

/** Statements at once of one process; a database of two cores serves no more any faster. */
const CONNECTIONS_MAX = 16;
/** Callers waiting for a connection; beyond, they are turned away at once [P7]. */
const WAITING_MAX = 20_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** What no statement of ours needs; a server that hangs is given up after that, and its connection closed. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** One connection keeps the lock, the other migrates. */
const MIGRATING_CONNECTIONS = 2;
const LOCK_WAIT_SECONDS = 5;

const RETRY: Backoff = { firstMs: 100, maxMs: 3_000 };
const CONFLICT_PAUSE: Backoff = { firstMs: 4, maxMs: 200 };

/**
 * What every connection begins with, whatever the server's own settings. `read committed`: our writers never lock the
 * gaps between rows, where strangers to each other would meet. Strict: what doesn't fit is refused, not cut off.
 * Backslashes must stay escapes, because values are written into the statements with them.
 */
const SESSION = [
  'set session transaction isolation level read committed',
  "set session time_zone = '+00:00', session innodb_lock_wait_timeout = " + String(LOCK_WAIT_SECONDS),
  "set session sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
];

const VERSION = /^(\d+)\.(\d+)/;
const MYSQL_MIN = [8, 0] as const;
/** The first with `skip locked`. */
const MARIADB_MIN = [10, 6] as const;

/**
 * Connects to the MySQL (8.0 or newer) or MariaDB (10.6 or newer) that `DATABASE_URL` names and brings its tables up
 * to date; of several nodes that start at once, one does so and the others wait for it. Tries until the database is
 * there, with backoff.
 *
 * @throws ConfigError where waiting can't help: a URL that is none, a user that is refused, a database that is
 *   missing, a server that is too old
 * @throws DatabaseError if the tables are of a newer version, or a migration fails
 */
export async function openMysqlDatabase(
  url: string,
  tables: readonly Table[],
  parts: MysqlParts,
): Promise<Database> {
  const address = databaseAddress(SETTING, url);
  const { clock, random } = parts;
  for (let attempt = 1; ; attempt++) {
    const trouble = await prepare(address, tables, parts);
    if (trouble === null) break;
    const delayMs = backoffMs(RETRY, attempt, random());
    parts.onTrouble(`${SETTING}: ${trouble}; trying again in ${delayMs} ms`);
    await after(clock, delayMs);
    parts.signal?.throwIfAborted();
  }
  const orm = await ormOver(optionsOf(address, CONNECTIONS_MAX, parts), tables);
  await prepareConnections(orm, STATEMENT_TIMEOUT_MS);
  return new Database({
    orm,
    pause: (attempt) => after(clock, backoffMs(CONFLICT_PAUSE, attempt, random())),
  });
}

function after(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

/** Looks at the server and migrates. Returns what is in the way for now, in words; null when all is well. */
async function prepare(
  address: DatabaseAddress,
  tables: readonly Table[],
  parts: MysqlParts,
): Promise<string | null> {
  const orm = await ormOver(optionsOf(address, MIGRATING_CONNECTIONS, parts), tables);
  try {
    // Changing a large table takes as long as it takes: no statement timeout here.
    await prepareConnections(orm, 0);
    await requireVersion(orm, address);
    if (parts.migrations === 'ignore') return null;
    if (parts.migrations === 'await') return await whatIsMissing(orm, shownDatabase(address));
    await migrateAlone(orm, address, parts);
    return null;
  } catch (cause) {
    if (cause instanceof ConfigError || cause instanceof DatabaseError) throw cause;
    const trouble = connectionTrouble(cause);
    const place = shownDatabase(address);
    if (trouble.passes) return `${place} can't be used yet (${trouble.message})`;
    if (trouble.allowed === null) {
      throw new DatabaseError(`${SETTING}: ${place} could not be prepared: ${trouble.message}.`, { cause });
    }
    const given = `${place} answers "${trouble.message}"`;
    throw new ConfigError([{ name: SETTING, given, allowed: trouble.allowed }], { cause });
  } finally {
    await orm.close(true);
  }
}

async function requireVersion(orm: Orm, address: DatabaseAddress): Promise<void> {
  const row: unknown = await orm.em.getConnection().execute('select version() as version', [], 'get');
  const version = String((row as { version?: unknown }).version);
  const [major, minor] = (VERSION.exec(version) ?? []).slice(1).map(Number);
  const [majorMin, minorMin] = version.includes('MariaDB') ? MARIADB_MIN : MYSQL_MIN;
  if (major !== undefined && (major > majorMin || (major === majorMin && (minor ?? 0) >= minorMin))) return;
  const given = `${shownDatabase(address)} is version ${version}`;
  throw new ConfigError([{ name: SETTING, given, allowed: 'MySQL 8.0 or MariaDB 10.6, or newer' }]);
}

/** Says what the tables lack; null when they are of this version or a newer one. Changes nothing. */
async function whatIsMissing(orm: Orm, place: string): Promise<string | null> {
  const found: unknown = await orm.em
    .getConnection()
    .execute(
      "select count(*) as tables from information_schema.tables where table_schema = database() and table_name = 'schema_migrations'",
      [],
      'get',
    );
  // Asked first, because the migrator would make the table where it is missing.
  const isNew = Number((found as { tables?: unknown }).tables) === 0;
  const missing = isNew ? ['all of them'] : await missingMigrations(orm, place);
  if (missing.length === 0) return null;
  return `${place} lacks migrations (${missing.join(', ')}), and MIGRATE is off here: a process with MIGRATE=only runs them`;
}

/** Holds a lock of the server while it migrates; the lock ends with the connection, however that ends. */
async function migrateAlone(orm: Orm, address: DatabaseAddress, parts: MysqlParts): Promise<void> {
  const connection = orm.em.getConnection();
  // Locks have one name space per server, and names of at most 64 characters.
  const lockName = createHash('sha256').update(`stampede ${address.database}`).digest('base64');
  await connection.transactional(async (lock) => {
    for (;;) {
      const row: unknown = await connection.execute(
        'select get_lock(?, ?) as locked',
        [lockName, LOCK_WAIT_SECONDS],
        'get',
        lock,
      );
      if (Number((row as { locked?: unknown }).locked) === 1) break;
      parts.onTrouble(`${SETTING}: another node brings the tables up to date; waiting for it`);
      parts.signal?.throwIfAborted();
    }
    await migrate(orm, shownDatabase(address));
  });
}

function optionsOf(address: DatabaseAddress, connectionsMax: number, { onTrouble }: MysqlParts): Options {
  const { host, port, user, password, database, tls } = address;
  return {
    driver: MySqlDriver,
    host,
    port,
    user,
    password,
    dbName: database,
    pool: { max: connectionsMax },
    timezone: 'Z',
    ensureDatabase: false,
    logger: onTrouble,
    driverOptions: {
      charset: 'utf8mb4_bin',
      connectTimeout: CONNECT_TIMEOUT_MS,
      queueLimit: WAITING_MAX,
      enableKeepAlive: true,
      // The ORM has written the values into the statements; the driver would search them for more places, byte by byte.
      queryFormat: (sql: string) => sql,
      ...(tls && { ssl: {} }),
    },
  };
}

/** The part of a `mysql2` connection that is needed here, in the shape in which the query builder calls it. */
interface RawConnection {
  query(sql: string | { sql: string; timeout: number }, values: unknown, done: Done): unknown;
  destroy(): void;
}
type Done = (error: { readonly code?: string } | null, ...rest: unknown[]) => void;

/** Makes every connection begin with our session settings and give up statements after a while; 0: never. */
async function prepareConnections(orm: Orm, timeout: number): Promise<void> {
  const connection = orm.em.getConnection();
  if (!(connection instanceof MySqlConnection)) throw new TypeError('not a connection to MySQL');
  const pool = await connection.getNativeClient();
  pool.on('connection', (fresh: unknown) => {
    // `mysql2` types the pool's connections less precisely than it documents them.
    const raw = fresh as RawConnection;
    if (timeout > 0) limitStatements(raw, timeout);
    for (const statement of SESSION) {
      raw.query(statement, [], (error) => {
        if (error) raw.destroy();
      });
    }
  });
}

/**
 * A connection that didn't answer in time is closed: the answer that may still come would be taken for that of the
 * next statement.
 */
function limitStatements(connection: RawConnection, timeout: number): void {
  const query = connection.query.bind(connection);
  connection.query = (sql, values, done) =>
    query(typeof sql === 'string' ? { sql, timeout } : sql, values, (error, ...rest) => {
      if (error?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') connection.destroy();
      done(error, ...rest);
    });
}

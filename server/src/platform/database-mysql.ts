import { createHash } from 'node:crypto';
import { MySqlConnection, MySqlDriver, type Options } from '@mikro-orm/mysql';
import { ConfigError } from './config-error.ts';
import {
  Database,
  DatabaseError,
  migrate,
  missingMigrations,
  type Orm,
  ormOver,
  type Table,
} from './database.ts';
import { type Backoff, type OpeningParts, openPatiently } from './retry.ts';
import { type DatabaseAddress, databaseAddress, shownDatabase } from './server-address.ts';

export interface MysqlParts extends OpeningParts {
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
  const isFinal = (cause: unknown): boolean => !(cause instanceof PassingTrouble);
  await openPatiently(SETTING, RETRY, parts, () => prepare(address, tables, parts), isFinal);
  const orm = await ormOver(optionsOf(address, CONNECTIONS_MAX, parts), tables);
  await prepareConnections(orm, STATEMENT_TIMEOUT_MS);
  return new Database({ orm, outside: parts });
}

/** What is in the way for now. */
class PassingTrouble extends Error {
  override readonly name = 'PassingTrouble';
}

/** Looks at the server and migrates. */
async function prepare(address: DatabaseAddress, tables: readonly Table[], parts: MysqlParts): Promise<void> {
  const orm = await ormOver(optionsOf(address, MIGRATING_CONNECTIONS, parts), tables);
  try {
    // Changing a large table takes as long as it takes: no statement timeout here.
    await prepareConnections(orm, 0);
    await requireVersion(orm, address);
    if (parts.migrations === 'ignore') return;
    if (parts.migrations === 'await') await requireMigrations(orm, shownDatabase(address));
    else await migrateAlone(orm, address);
  } catch (cause) {
    throw explained(cause, shownDatabase(address));
  } finally {
    await orm.close(true);
  }
}

const KNOWN_USER = 'a user and password that the database accepts';
const KNOWN_DATABASE = 'a database that exists (create database … character set utf8mb4)';
const ENOUGH_RIGHTS = 'a user who may create and change tables in the database';

/** What would be right, by error number of the server or code of the client; waiting helps with none of them. */
const LASTING: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [1_045, KNOWN_USER],
  [1_698, KNOWN_USER],
  [1_251, KNOWN_USER],
  [1_044, 'a user with rights on the database, and a database that exists'],
  [1_049, KNOWN_DATABASE],
  [1_142, ENOUGH_RIGHTS],
  [1_143, ENOUGH_RIGHTS],
  [1_227, ENOUGH_RIGHTS],
  [1_370, ENOUGH_RIGHTS],
  ['AUTH_SWITCH_PLUGIN_ERROR', KNOWN_USER],
  ['HANDSHAKE_NO_SSL_SUPPORT', 'mysql:// for a server without TLS'],
  ['HANDSHAKE_SSL_ERROR', 'mysqls:// only with a certificate that this machine trusts'],
]);

/** Too many connections, shutting down, interrupted, locks, read-only while another server takes over. */
const PASSING: ReadonlySet<unknown> = new Set([
  1_040, 1_053, 1_077, 1_079, 1_205, 1_213, 1_290, 1_317, 1_836, 1_927, 3_024,
]);

/** The part of a driver's error that tells what to do about it. */
interface ServerWord {
  readonly errno?: unknown;
  readonly code?: unknown;
  /** Absent unless the server itself said it. */
  readonly sqlState?: unknown;
  readonly sqlMessage?: unknown;
  /** Node tries several addresses of a host and collects what each one said. */
  readonly errors?: readonly unknown[];
}

/** What the server itself says stays, or is known to pass; all else happened on the way to it and may pass. */
function explained(cause: unknown, place: string): Error {
  if (cause instanceof PassingTrouble || cause instanceof ConfigError || cause instanceof DatabaseError) {
    return cause;
  }
  const { errno, code, sqlState } = wordOf(cause);
  const message = messageOf(cause);
  const allowed = LASTING.get(errno) ?? LASTING.get(code);
  if (allowed !== undefined) {
    return new ConfigError([{ name: SETTING, given: `${place} answers "${message}"`, allowed }], { cause });
  }
  if (sqlState === undefined || PASSING.has(errno)) {
    return new PassingTrouble(`${place} can't be used yet (${message})`, { cause });
  }
  return new DatabaseError(`${SETTING}: ${place} could not be prepared: ${message}.`, { cause });
}

function wordOf(cause: unknown): ServerWord {
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** The driver puts the whole statement in front of what the server said. */
function messageOf(cause: unknown): string {
  const { sqlMessage, errors = [] } = wordOf(cause);
  if (typeof sqlMessage === 'string') return sqlMessage;
  if (errors.length > 0) return messageOf(errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
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

/** Changes nothing, and rejects unless the tables are of this version or a newer one. */
async function requireMigrations(orm: Orm, place: string): Promise<void> {
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
  if (missing.length === 0) return;
  throw new PassingTrouble(
    `${place} lacks migrations (${missing.join(', ')}), and MIGRATE is off here: a process with MIGRATE=only runs them`,
  );
}

/** Holds a lock of the server while it migrates; the lock ends with the connection, however that ends. */
async function migrateAlone(orm: Orm, address: DatabaseAddress): Promise<void> {
  const connection = orm.em.getConnection();
  // Locks have one name space per server, and names of at most 64 characters.
  const lockName = createHash('sha256').update(`stampede ${address.database}`).digest('base64');
  await connection.transactional(async (lock) => {
    const sql = 'select get_lock(?, ?) as locked';
    const row: unknown = await connection.execute(sql, [lockName, LOCK_WAIT_SECONDS], 'get', lock);
    if (Number((row as { locked?: unknown }).locked) !== 1) {
      throw new PassingTrouble('another node brings the tables up to date; waiting for it');
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

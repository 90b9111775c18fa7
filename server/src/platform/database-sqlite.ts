import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  AbstractSqlDriver,
  BaseSqliteConnection,
  type Configuration,
  NodeSqliteDialect,
  SqlitePlatform,
} from '@mikro-orm/sql';
import { Database, DatabaseError, migrate, ormOver, type Table } from './database.ts';

const DATABASE_FILE = 'stampede.sqlite';
const LOCK_FILE = 'stampede.lock';

/** How long a start waits for a predecessor that is just going down, and a statement for another program. */
const BUSY_TIMEOUT_MS = 3_000;

/** Result codes of SQLite, https://sqlite.org/rescode.html; the low byte tells the kind. */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const PRIMARY_CODE_MASK = 0xff;

/**
 * Opens the embedded database in a folder, which is made if it is missing, and brings its tables up to date.
 *
 * The file is in WAL mode with `synchronous = full`: a commit returns only after its log has reached the disk. WAL
 * with `normal` would survive a killed process too, but could lose the last commits in a power cut, and a payment
 * that was acknowledged must not be among them [P2]. Adapters commit many requests at once, so that the price, a
 * few milliseconds a commit, is paid per batch.
 *
 * One process at a time may use a folder, because the in-process stores of a second one would be a second truth
 * about the seats. A lock file held through SQLite says so; the system frees it with the process, however it dies.
 * Readers from outside (backups, counting sold seats) are welcome: WAL lets them read while the server writes.
 *
 * @throws DatabaseError naming the file and what to do, for a folder or file that can't be used
 */
export async function openSqliteDatabase(
  directory: string,
  tables: readonly Table[],
  busyTimeoutMs = BUSY_TIMEOUT_MS,
): Promise<Database> {
  prepareFolder(directory);
  const file = join(directory, DATABASE_FILE);
  const lock = lockFolder(directory, busyTimeoutMs);
  try {
    examine(file, busyTimeoutMs);
    const orm = await ormOver(
      { driver: WholeTextDriver, dbName: file, driverOptions: new NodeSqliteDialect(file) },
      tables,
    );
    try {
      await migrate(orm, file);
      // Kysely keeps one connection to SQLite for the life of the ORM, so what is set once stays.
      const connection = orm.em.getConnection();
      await connection.execute('pragma synchronous = full');
      await connection.execute(`pragma busy_timeout = ${String(busyTimeoutMs)}`);
    } catch (cause) {
      await orm.close(true);
      throw cause;
    }
    return new Database({ orm, afterClose: () => lock.close() });
  } catch (cause) {
    lock.close();
    throw explained(file, cause);
  }
}

/** The ORM's SQLite driver, with texts kept whole. */
class WholeTextDriver extends AbstractSqlDriver<BaseSqliteConnection> {
  constructor(config: Configuration) {
    super(config, new WholeTextPlatform(), BaseSqliteConnection, ['kysely']);
  }
}

/**
 * The ORM writes values into the statement, and SQLite ends a statement at the first NUL: a text that holds one would
 * fail whatever shares its statement, so it is written byte by byte.
 */
class WholeTextPlatform extends SqlitePlatform {
  override escape(value: unknown): string {
    if (typeof value !== 'string' || !value.includes('\0')) return super.escape(value);
    return `cast(X'${Buffer.from(value).toString('hex')}' as text)`;
  }
}

/** Read and written by the server's own user alone. */
const OWNER_ONLY = 0o600;

function prepareFolder(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    const file = join(directory, DATABASE_FILE);
    if (!existsSync(file)) closeSync(openSync(file, 'a', OWNER_ONLY));
    accessSync(file, constants.R_OK | constants.W_OK);
    // Orders and tickets are nobody else's business; the files that SQLite makes beside this one take its mode.
    chmodSync(file, OWNER_ONLY);
  } catch (cause) {
    throw new DatabaseError(
      `The data folder ${directory} can't be used: ${messageOf(cause)}. ` +
        'Set DATA_DIR to a folder that this user may read and write.',
      { cause },
    );
  }
}

function lockFolder(directory: string, timeout: number): DatabaseSync {
  const file = join(directory, LOCK_FILE);
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout });
    lock.exec('pragma journal_mode = memory; begin exclusive');
    return lock;
  } catch (cause) {
    lock?.close();
    if (codeOf(cause) !== SQLITE_BUSY) throw explained(file, cause);
    throw new DatabaseError(
      `The data folder ${directory} is in use by another server. ` +
        'Stop that one, or set DATA_DIR to another folder.',
      { cause },
    );
  }
}

/** Finds a damaged or foreign file before anybody buys from it. */
function examine(file: string, timeout: number): void {
  const database = new DatabaseSync(file, { timeout });
  try {
    database.exec('pragma journal_mode = wal');
    const found = database.prepare('pragma quick_check(1)').get()?.['quick_check'];
    if (found !== 'ok') throw damaged(file, String(found));
  } finally {
    database.close();
  }
}

function explained(file: string, cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  const code = codeOf(cause);
  if (code === SQLITE_NOTADB || code === SQLITE_CORRUPT) return damaged(file, messageOf(cause), cause);
  if (code === SQLITE_BUSY) {
    return new DatabaseError(`${file} is locked by another program. Close that program and start again.`, {
      cause,
    });
  }
  return new DatabaseError(`${file} can't be opened: ${messageOf(cause)}.`, { cause });
}

function damaged(file: string, finding: string, cause?: unknown): DatabaseError {
  return new DatabaseError(
    `${file} is damaged or is no database (${finding}). ` +
      'Restore a backup of it, or move it and its -wal and -shm files away to start empty.',
    { cause },
  );
}

function codeOf(cause: unknown): number | null {
  if (!(cause instanceof Error) || !('errcode' in cause) || typeof cause.errcode !== 'number') return null;
  return cause.errcode & PRIMARY_CODE_MASK;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

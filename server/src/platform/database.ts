import { Migrator } from '@mikro-orm/migrations';
import {
  type AbstractSqlDriver,
  type EntitySchema,
  IsolationLevel,
  MikroORM,
  type Options,
  type SqlEntityManager,
} from '@mikro-orm/sql';
import { migrations } from '../../../migrations/index.ts';
import { isConflict } from './database-conflict.ts';

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
  /**
   * Waits a while before a transaction is tried again that met another one for the `attempt`-th time (from 1). Absent
   * where transactions take turns anyway.
   */
  readonly pause?: (attempt: number) => Promise<void>;
}

interface TransactionOptions {
  /** What reads see: what is committed when they are made, or (`snapshot`) when the transaction's first one is. */
  readonly reads?: 'committed' | 'snapshot';
  /** How often it is tried when other transactions are in the way. */
  readonly attempts?: number;
}

/**
 * With the pauses of MySQL's opener this is about a second. Our writers take their rows in one order and so rarely
 * meet; who still finds others in the way then stands behind something that holds its rows for long.
 */
const CONFLICT_ATTEMPTS = 10;

/**
 * The connection that every room's SQL adapters share, the same on every database: dialects differ in how it is
 * opened (`database-sqlite.ts`), never in how it is used.
 */
export class Database {
  readonly #orm: Orm;
  readonly #afterClose: () => void;
  readonly #pause: ((attempt: number) => Promise<void>) | undefined;

  /** Use an opener of a dialect. */
  constructor({ orm, afterClose, pause }: DatabaseParts) {
    this.#orm = orm;
    this.#afterClose = afterClose ?? (() => undefined);
    this.#pause = pause;
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
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.entities().transactional(work, options);
      } catch (cause) {
        if (!this.#pause || attempt >= attempts || !isConflict(cause)) throw cause;
        await this.#pause(attempt);
      }
    }
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
 * after it was rolled back [A12].
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

import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { catalogTables } from '../../src/catalog/catalog-tables.ts';
import type { ListedShow } from '../../src/catalog/show.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { orderTables, SqlOrderStore } from '../../src/checkout/sql-order-store.ts';
import { openMysqlDatabase } from '../../src/platform/database-mysql.ts';
import type { Database } from '../../src/platform/database.ts';
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts';
import type { ReconcileParts } from '../../src/sale/reconcile-show.ts';
import { newEpochs } from '../../src/feed/show-feed.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { RedisSeatStore } from '../../src/seating/redis-seat-store.ts';
import { RedisShowFeed } from '../../src/feed/redis-show-feed.ts';
import { TaskError } from '../tasks/task.ts';

/** Both sides, open. */
export interface Books extends ReconcileParts {
  readonly shows: readonly ListedShow[];
  close(): Promise<void>;
}

const PATIENCE_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens Redis and the database that the settings name. Neither is changed.
 * @throws TaskError
 */
export async function openBooks(environment: Environment): Promise<Books> {
  const redisUrl = required(
    environment,
    'REDIS_URL',
    "without it, the live seats are in the server's own memory",
  );
  const databaseUrl = required(environment, 'DATABASE_URL', "without it, the rows are the server's own file");
  const closings: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closings.splice(0).toReversed()) await one();
  };
  try {
    const database = await openDatabase(databaseUrl);
    closings.push(() => database.close());
    const connection = await openRedis(redisUrl);
    closings.push(() => connection.close());
    const newEpoch = newEpochs(systemRandom);
    const feed = new RedisShowFeed({
      connection,
      outside: { clock: systemClock, random: systemRandom },
      newEpoch,
      onTrouble: () => undefined,
    });
    closings.push(() => feed.close());
    const seats = new RedisSeatStore({
      redis: connection.client,
      outside: { nextTurn },
      newEpoch,
      onHistoryLost: () => undefined,
    });
    const shows = await readShows(database);
    return { shows, seats, feed, orders: new SqlOrderStore(database), clock: systemClock, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function required(environment: Environment, name: string, why: string): string {
  const value = environment[name]?.trim();
  if (value) return value;
  throw new TaskError(`${name} is not set: ${why}. Set it, or bring up npm run stack.`);
}

function openDatabase(url: string): Promise<Database> {
  const tables = [...catalogTables, ...orderTables];
  return patiently((parts) => openMysqlDatabase(url, tables, { ...parts, migrations: 'ignore' }));
}

function openRedis(url: string): Promise<RedisConnection> {
  return patiently((parts) => connectRedis(url, parts));
}

/** Waits a little for what is just coming up, and then says what was last in the way. */
async function patiently<T>(open: (parts: Parameters<typeof connectRedis>[1]) => Promise<T>): Promise<T> {
  let trouble = '';
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const onTrouble = (message: string): void => {
    if (!signal.aborted) trouble = message;
  };
  try {
    return await open({ clock: systemClock, random: systemRandom, onTrouble, signal });
  } catch (cause) {
    if (signal.aborted) throw new TaskError(trouble.replace(/; trying again.*$/, ''), { cause });
    throw cause;
  }
}

async function readShows(database: Database): Promise<readonly ListedShow[]> {
  try {
    return (await new SqlCatalogStore(database).contents()).shows;
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1);
    throw new TaskError(`DATABASE_URL: the shows can't be read: ${line}`, { cause });
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { catalogTables } from '../../../src/catalog/catalog-tables.ts';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { orderTables } from '../../../src/checkout/sql-order-store.ts';
import { paymentLogTable } from '../../../src/payment-log/sql-payment-log.ts';
import { openMysqlDatabase } from '../../../src/platform/database-mysql.ts';
import { openSqliteDatabase } from '../../../src/platform/database-sqlite.ts';
import type { Database } from '../../../src/platform/database.ts';
import { liveSeatTables } from '../../../src/seating/mysql-seat-tables.ts';
import type { BenchContext } from '../benchmark.ts';
import type { Errand, OpenCall, OpenPeerCall } from '../driver/driver-calls.ts';
import type { Driver } from '../driver/driver.ts';
import type { BareServer } from './bare-server.ts';
import { type BenchServer, startServer } from './bench-server.ts';
import { benchDraft, benchLayout, type BenchVenue } from './bench-show.ts';
import { type Child, startChild } from './child.ts';
import { checkOpenFiles } from '../../shopper/sockets.ts';
import type { NativeServer } from '../../stack/native-server.ts';
import { startDatabase, startKafka, startRedis } from '../../stack/private-servers.ts';
import type { Report } from '../../tasks/task.ts';

const TABLES = [...catalogTables, ...orderTables, paymentLogTable, ...liveSeatTables];
const DRAW_SEED = '5'.repeat(64);
/** Sockets that come into a show at a time. */
const ENTERING_MAX = 300;
/** Payments that always succeed, at once: what is measured is ours. */
const PAYMENTS = { PAYMENT_DELAY_MIN_MS: '0', PAYMENT_DELAY_MAX_MS: '0', PAYMENT_SUCCESS_RATE: '1' };

/** A server of the benchmark's own: `startRedis`, `startDatabase`, `startKafka`; removed afterwards. */
export async function provide(
  context: BenchContext,
  start: (report: Report) => Promise<NativeServer>,
): Promise<NativeServer> {
  const server = await start(context.say);
  context.afterwards(() => server.remove());
  return server;
}

/** Many clients in a process of their own, connected. */
export async function startDriver(
  context: BenchContext,
  call: OpenCall | OpenPeerCall,
): Promise<Child<Driver>> {
  checkOpenFiles(context.name, call.sockets);
  const driver = startChild<Driver>(context, 'driver', new URL('../driver/driver.ts', import.meta.url));
  await ('name' in call ? driver.calls.openPeer(call) : driver.calls.open(call));
  return driver;
}

export type Entering = Omit<Extract<Errand, { kind: 'enter' }>, 'kind'>;

/** Brings every client of a driver into a show. */
export async function enter(driver: Child<Driver>, entering: Entering): Promise<void> {
  const errand = { kind: 'enter', ...entering } as const;
  await driver.calls.work({ errand, times: 1, pace: { inFlight: ENTERING_MAX } });
}

/** A process with a bare uWebSockets.js server, listening. */
export async function startBareServer(
  context: BenchContext,
  replyBytes: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly server: Child<BareServer>; readonly port: number }> {
  const file = new URL('bare-server.ts', import.meta.url);
  const server = startChild<BareServer>(context, 'bare server', file, environment);
  return { server, port: await server.calls.listen({ replyBytes }) };
}

/** Opens MySQL with every table of the server. */
export const openBenchMysql = (url: string): Promise<Database> =>
  openMysqlDatabase(url, TABLES, { clock: systemClock, random: systemRandom, onTrouble: () => undefined });

/** Puts shows that are all alike into a database that no server uses yet, closes it, and returns their numbers. */
async function addShows(database: Database, venue: BenchVenue, count: number): Promise<readonly number[]> {
  try {
    const catalog = new SqlCatalogStore(database);
    await catalog.addLayouts([benchLayout(venue)]);
    const shows: number[] = [];
    const draft = benchDraft(venue, systemClock.now());
    while (shows.length < count) shows.push(await catalog.addShow(draft, DRAW_SEED));
    return shows;
  } finally {
    await database.close();
  }
}

/** A folder for a server's data, deleted afterwards. */
async function dataFolder(context: BenchContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stampede-bench-'));
  context.afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What starts a gateway with seats and places in Redis, and shows that are all alike. */
export async function prepareGateway(
  context: BenchContext,
  { redis, venue, count = 1 }: { redis: NativeServer; venue: BenchVenue; count?: number },
): Promise<{
  start: (settings?: Record<string, string>) => Promise<BenchServer>;
  shows: readonly number[];
}> {
  const dataDir = await dataFolder(context);
  const shows = await addShows(await openSqliteDatabase(dataDir, TABLES), venue, count);
  const own = { DATA_DIR: dataDir, REDIS_URL: redis.url };
  return { start: (settings = {}) => startServer(context, { ...own, ...settings }), shows };
}

/** A gateway with seats and places in a Redis of its own, and buyers in its show. */
export interface HoldHouse {
  readonly redis: NativeServer;
  readonly gateway: BenchServer;
  readonly driver: Child<Driver>;
  readonly seatCount: number;
  readonly show: number;
}

/** Starts Redis, the gateway and its buyers, and waits until all are in. */
export async function openHoldHouse(
  context: BenchContext,
  { venue, sockets, ...entering }: { venue: BenchVenue; sockets: number } & Omit<Entering, 'show'>,
): Promise<HoldHouse> {
  const redis = await provide(context, startRedis);
  const { start, shows } = await prepareGateway(context, { redis, venue });
  const gateway = await start();
  const [show = 0] = shows;
  context.say(`${sockets} buyers are coming in`);
  const driver = await startDriver(context, { port: gateway.port, sockets, firstBuyer: 0 });
  await enter(driver, { show, ...entering });
  return { redis, gateway, driver, seatCount: venue.sections * venue.seatsPerSection, show };
}

/** The whole of it: Redis, Kafka and MySQL, a gateway and a worker, and a process full of clients. */
export interface StackHouse {
  readonly redis: NativeServer;
  readonly database: NativeServer;
  readonly driver: Child<Driver>;
  /** Empty shows, all alike. */
  readonly shows: readonly number[];
  readonly versions: readonly string[];
}

/** Starts everything, with a show for each run and one to warm up, and `sockets` clients connected. */
export async function openStackHouse(
  context: BenchContext,
  { venue, sockets }: { venue: BenchVenue; sockets: number },
): Promise<StackHouse> {
  const redis = await provide(context, startRedis);
  const database = await provide(context, startDatabase);
  const kafka = await provide(context, startKafka);
  const shows = await addShows(await openBenchMysql(database.url), venue, context.runs + 1);
  const settings = {
    ...PAYMENTS,
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    KAFKA_BROKERS: kafka.url,
    PAYMENT_SECRET: 'a secret of no payment and for benchmarks only',
    DATA_DIR: await dataFolder(context),
  };
  await startServer(context, { ...settings, ROLES: 'worker,scheduler' });
  const gateway = await startServer(context, { ...settings, ROLES: 'gateway,scheduler' });
  const driver = await startDriver(context, { port: gateway.port, sockets, firstBuyer: 0 });
  const versions = [redis.product, kafka.product, database.product];
  return { redis, database, driver, shows, versions };
}

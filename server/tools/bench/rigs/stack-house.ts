import type { NativeServer } from '../../stack/native-server.ts';
import { startDatabase, startKafka, startRedis } from '../../stack/private-servers.ts';
import type { BenchContext } from '../benchmark.ts';
import type { Driver } from '../driver/driver.ts';
import type { Processes } from '../observing/window-meter.ts';
import type { BenchVenue } from './bench-show.ts';
import { addBenchShow } from './catalog.ts';
import type { ChildCalls } from './child-calls.ts';
import { startDriver } from './driver-process.ts';
import { dataFolder, requireSockets, ServerProcess } from './server-process.ts';

/** The whole of it: Redis, Kafka and MySQL, a gateway and a worker, and a process full of clients. */
export interface StackHouse {
  readonly redis: NativeServer;
  readonly kafka: NativeServer;
  readonly database: NativeServer;
  readonly gateway: ServerProcess;
  readonly worker: ServerProcess;
  readonly driver: ChildCalls<Driver>;
  /** Empty shows, all alike. */
  readonly shows: readonly number[];
}

/** Payments that always succeed, at once: what is measured is ours. */
const PAYMENTS = { PAYMENT_DELAY_MIN_MS: '0', PAYMENT_DELAY_MAX_MS: '0', PAYMENT_SUCCESS_RATE: '1' };

/** Starts everything, with `count` shows and `sockets` clients connected. */
export async function openStackHouse(
  context: BenchContext,
  { venue, count, sockets }: { venue: BenchVenue; count: number; sockets: number },
): Promise<StackHouse> {
  requireSockets(sockets);
  const started = async (start: Promise<NativeServer>): Promise<NativeServer> => {
    const server = await start;
    context.afterwards(() => server.remove());
    return server;
  };
  const redis = await started(startRedis(context.say));
  const database = await started(startDatabase(context.say));
  const kafka = await started(startKafka(context.say));
  const shows: number[] = [];
  for (let show = 0; show < count; show++)
    shows.push(await addBenchShow({ databaseUrl: database.url }, venue));
  const settings = {
    ...PAYMENTS,
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    KAFKA_BROKERS: kafka.url,
    PAYMENT_SECRET: 'a secret of no payment and for benchmarks only',
    DATA_DIR: await dataFolder(context),
  };
  const serve = async (roles: string): Promise<ServerProcess> => {
    const server = await ServerProcess.start(context, { ...settings, ROLES: roles });
    return server;
  };
  const worker = await serve('worker,scheduler');
  const gateway = await serve('gateway,scheduler');
  const driver = startDriver(context);
  await driver.call('open', { port: gateway.port, sockets, buyers: true, firstBuyer: 0 });
  return { redis, kafka, database, gateway, worker, driver, shows };
}

/** What to call the processes of a house in a report. */
export function processesOf({ redis, kafka, database, gateway, worker, driver }: StackHouse): Processes {
  return { gateway, worker, Redis: redis, Kafka: kafka, database, clients: driver };
}

import type { NativeServer } from '../../stack/native-server.ts';
import { startRedis } from '../../stack/private-servers.ts';
import type { BenchContext } from '../benchmark.ts';
import type { Driver } from '../driver/driver.ts';
import type { EnterCall } from '../driver/driver-calls.ts';
import type { BenchVenue } from './bench-show.ts';
import { addBenchShow } from './catalog.ts';
import type { ChildCalls } from './child-calls.ts';
import { startDriver } from './driver-process.ts';
import { dataFolder, requireSockets, ServerProcess } from './server-process.ts';

/** A server with seats and places in a Redis of its own, and buyers in its show. */
export interface HoldHouse {
  readonly redis: NativeServer;
  readonly server: ServerProcess;
  readonly driver: ChildCalls<Driver>;
  readonly seatCount: number;
}

export interface HouseWish {
  readonly venue: BenchVenue;
  readonly sockets: number;
  readonly entering: Omit<EnterCall, 'show'>;
}

/** Starts Redis, the server and its buyers, and waits until all are in. */
export async function openHoldHouse(context: BenchContext, wish: HouseWish): Promise<HoldHouse> {
  const { venue, sockets, entering } = wish;
  requireSockets(sockets);
  const redis = await startRedis(context.say);
  context.afterwards(() => redis.remove());
  const dataDir = await dataFolder(context);
  const show = await addBenchShow({ dataDir }, venue);
  const server = await ServerProcess.start(context, { DATA_DIR: dataDir, REDIS_URL: redis.url });
  const driver = startDriver(context);
  context.say(`${sockets} buyers are coming in`);
  await driver.call('open', { port: server.port, sockets, buyers: true, firstBuyer: 0 });
  await driver.call('enter', { show, ...entering });
  return { redis, server, driver, seatCount: venue.sections * venue.seatsPerSection };
}

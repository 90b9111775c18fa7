import { startRedis } from '../../stack/private-servers.ts';
import type { Benchmark, BenchContext, Findings, Run } from '../benchmark.ts';
import { ratiosOf, sized } from '../benchmark.ts';
import { installedVersion } from '../installed-version.ts';
import { addBenchShow } from '../rigs/catalog.ts';
import { startBareServer, startDriver } from '../rigs/driver-process.ts';
import { MEMORY_IS_MEASURED, residentAtRest } from '../rigs/memory-at-rest.ts';
import { dataFolder, requireSockets, ServerProcess } from '../rigs/server-process.ts';
import { spreadOf } from '../statistics.ts';

const SESSIONS = 15_000;
const VENUE = { sections: 20, seatsPerSection: 1_000, seatsPerBuyer: 4, lobbyOnly: true };
const TARGET = 2;
/** One frame from each socket, and its answer. */
const GREETING = {
  kind: 'echo',
  perSocket: 1,
  inFlight: 300,
  seat: null,
  seatCount: 1,
  perSecond: null,
} as const;
/** Those who come before the count starts: by then code is compiled, and buffers and pools have their size. */
const EARLY_SHARE = 1 / 3;

async function measure(context: BenchContext): Promise<Findings> {
  const sockets = sized(SESSIONS, context, 500);
  requireSockets(sockets);
  const early = Math.round(sockets * EARLY_SHARE);
  const crowd = { early, late: sockets - early };
  const redis = await startRedis(context.say);
  context.afterwards(() => redis.remove());
  const runs: Run[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.say(`run ${run} of ${context.runs}: waiting sessions`);
    const value = await bytesPerSession(context, redis.url, crowd);
    context.say(`run ${run} of ${context.runs}: bare sockets`);
    runs.push({ value, yardstick: await bytesPerBareSocket(context, crowd) });
  }
  return {
    unit: 'bytes',
    runs,
    reached: spreadOf(ratiosOf(runs)).median <= TARGET,
    remarks: [
      `Resident memory of a process with ${crowd.early} and with ${sockets} of them, its garbage collected at both ` +
        'moments, by what came in between; places are in Redis. Every bare socket has been answered a frame, too.',
    ],
    tables: [],
    cpu: [],
    versions: [redis.product, installedVersion('uWebSockets.js')],
  };
}

/** Who comes before the count starts, and after. */
interface Crowd {
  readonly early: number;
  readonly late: number;
}

async function bytesPerSession(
  context: BenchContext,
  redisUrl: string,
  { early, late }: Crowd,
): Promise<number> {
  const dataDir = await dataFolder(context);
  const show = await addBenchShow({ dataDir }, VENUE);
  const server = await ServerProcess.start(context, {
    ...MEMORY_IS_MEASURED,
    DATA_DIR: dataDir,
    REDIS_URL: redisUrl,
  });
  const waiting = { show, until: 'waiting', watch: [], watchers: 0 } as const;
  const first = startDriver(context);
  await first.call('open', { port: server.port, sockets: early, buyers: true, firstBuyer: late });
  await first.call('enter', waiting);
  const driver = startDriver(context);
  const before = await residentAtRest(server.pid);
  await driver.call('open', { port: server.port, sockets: late, buyers: true, firstBuyer: 0 });
  await driver.call('enter', waiting);
  const after = await residentAtRest(server.pid);
  await Promise.all([first.end(), driver.end()]);
  await server.stop();
  return (after - before) / late;
}

async function bytesPerBareSocket(context: BenchContext, { early, late }: Crowd): Promise<number> {
  const { server, port } = await startBareServer(context, 1, MEMORY_IS_MEASURED);
  const first = startDriver(context);
  await first.call('open', { port, sockets: early, buyers: false, firstBuyer: 0 });
  await first.call('volley', GREETING);
  const driver = startDriver(context);
  const before = await residentAtRest(server.pid);
  await driver.call('open', { port, sockets: late, buyers: false, firstBuyer: 0 });
  await driver.call('volley', GREETING);
  const after = await residentAtRest(server.pid);
  await Promise.all([first.end(), driver.end()]);
  await server.end();
  return (after - before) / late;
}

export const sessionMemory: Benchmark = {
  name: 'session-memory',
  what: 'resident bytes of a waiting session, 15,000 of them in one process',
  against: 'a bare uWebSockets.js socket',
  target: `≤ ${TARGET} ×`,
  measure,
};

import { performance } from 'node:perf_hooks';
import {
  type BenchContext,
  type Benchmark,
  eachRun,
  type Findings,
  medianRatio,
  sized,
} from '../benchmark.ts';
import type { Driver } from '../driver/driver.ts';
import { spreadTextOf } from '../report.ts';
import { readable, spreadOf } from '../statistics.ts';
import { type BenchServer, MEMORY_IS_MEASURED, residentAtRest } from '../rigs/bench-server.ts';
import type { Child } from '../rigs/child.ts';
import { enter, prepareGateway, provide, startBareServer, startDriver } from '../rigs/house.ts';
import { installedVersion } from '../surroundings.ts';
import type { NativeServer } from '../../stack/native-server.ts';
import { startRedis } from '../../stack/private-servers.ts';

const VENUE = { sections: 20, seatsPerSection: 1_000, seatsPerBuyer: 4 };
const BYTES_PER_MIB = 1_024 ** 2;
const MS_PER_SECOND = 1_000;

const SESSIONS = 15_000;
const SESSION_TARGET = 2;
/** One frame from each socket, and its answer. */
const GREETING = { errand: { kind: 'echo' }, times: 1, pace: { inFlight: 300 } } as const;
/** Those who come before the count starts: by then code is compiled, and buffers and pools have their size. */
const EARLY_SHARE = 1 / 3;

const MANY_SHOWS = 2_000;
const BUSY_SHOWS = 4;
const BUYERS_A_SHOW = 100;
const SHOWS_TARGET = 1.3;
const START_TARGET_SECONDS = 5;

async function measureSessions(context: BenchContext): Promise<Findings> {
  const sockets = sized(SESSIONS, context, 500);
  const early = Math.round(sockets * EARLY_SHARE);
  const late = sockets - early;
  const redis = await provide(context, startRedis);

  /** What one of the late adds to a process, once everybody has done what they came for. */
  const bytesEach = async (
    { pid, port }: { pid: number; port: number },
    isBare: boolean,
    come: (driver: Child<Driver>) => Promise<unknown>,
  ): Promise<number> => {
    const first = await startDriver(context, { port, sockets: early, firstBuyer: isBare ? null : late });
    await come(first);
    const before = await residentAtRest(pid);
    const driver = await startDriver(context, { port, sockets: late, firstBuyer: isBare ? null : 0 });
    await come(driver);
    const after = await residentAtRest(pid);
    await Promise.all([first.end(), driver.end()]);
    return (after - before) / late;
  };
  const runs = await eachRun(context, async () => {
    context.say('waiting sessions');
    const { start, shows } = await prepareGateway(context, { redis, venue: { ...VENUE, lobbyOnly: true } });
    const gateway = await start(MEMORY_IS_MEASURED);
    const waiting = { show: shows[0] ?? 0, until: 'waiting', watch: [], watchers: 0 } as const;
    const value = await bytesEach(gateway, false, (driver) => enter(driver, waiting));
    await gateway.stop();
    context.say('bare sockets');
    const { server, port } = await startBareServer(context, 1, MEMORY_IS_MEASURED);
    const bare = { pid: server.pid, port };
    const yardstick = await bytesEach(bare, true, (driver) => driver.calls.work(GREETING));
    await server.end();
    return { value, yardstick };
  });
  return {
    unit: 'bytes',
    runs,
    reached: medianRatio(runs) <= SESSION_TARGET,
    remarks: [
      `Resident memory of a process with ${early} and with ${sockets} of them, its garbage collected at both moments, ` +
        'by what came in between; places are in Redis. Every bare socket has been answered a frame, too.',
    ],
    versions: [redis.product, installedVersion('uWebSockets.js')],
  };
}

export const sessionMemory: Benchmark = {
  name: 'session-memory',
  what: 'resident bytes of a waiting session, 15,000 of them in one process',
  against: 'a bare uWebSockets.js socket',
  target: `≤ ${SESSION_TARGET} ×`,
  measure: measureSessions,
};

/** A gateway with so many shows: how long it takes to start, and its memory when buyers shop in a few of them. */
async function gatewayWith(context: BenchContext, redis: NativeServer, count: number) {
  context.say(`a gateway with ${count} shows`);
  const { start, shows } = await prepareGateway(context, { redis, venue: VENUE, count });
  const startedAt = performance.now();
  const gateway = await start(MEMORY_IS_MEASURED);
  const seconds = (performance.now() - startedAt) / MS_PER_SECOND;
  const idle = await residentAtRest(gateway.pid);
  await shopIn(context, gateway, shows.slice(0, BUSY_SHOWS));
  const memory = await residentAtRest(gateway.pid);
  await gateway.stop();
  return { seconds, idle: idle / BYTES_PER_MIB, memory: memory / BYTES_PER_MIB };
}

async function shopIn(context: BenchContext, { port }: BenchServer, shows: readonly number[]): Promise<void> {
  for (const [index, show] of shows.entries()) {
    const firstBuyer = index * BUYERS_A_SHOW;
    const driver = await startDriver(context, { port, sockets: BUYERS_A_SHOW, firstBuyer });
    await enter(driver, { show, until: 'admitted', watch: [0, 1, 2, 3], watchers: BUYERS_A_SHOW });
    const errand = { kind: 'hold', seat: null, seatCount: VENUE.sections * VENUE.seatsPerSection } as const;
    await driver.calls.work({ errand, times: 1, pace: { inFlight: BUYERS_A_SHOW } });
  }
}

async function measureShows(context: BenchContext): Promise<Findings> {
  const count = sized(MANY_SHOWS, context, BUSY_SHOWS);
  const rounds = await eachRun(context, async () => {
    // Each in a Redis of its own, so that neither finds the other's shows there.
    const many = await gatewayWith(context, await provide(context, startRedis), count);
    const few = await gatewayWith(context, await provide(context, startRedis), BUSY_SHOWS);
    return { many, few };
  });
  const runs = rounds.map(({ many, few }) => ({ value: many.memory, yardstick: few.memory }));
  const start = spreadOf(rounds.map(({ many }) => many.seconds)).median;
  const row = (title: string, which: 'many' | 'few') => [
    title,
    ...(['seconds', 'idle', 'memory'] as const).map((figure) =>
      spreadTextOf(rounds.map((round) => round[which][figure])),
    ),
  ];
  return {
    unit: 'MiB',
    runs,
    reached: medianRatio(runs) <= SHOWS_TARGET && start <= START_TARGET_SECONDS,
    remarks: [
      `Resident memory without garbage while ${BUYERS_A_SHOW} buyers shop in each of ${BUSY_SHOWS} shows of 20,000 seats.`,
    ],
    tables: [
      {
        title: 'A gateway by what is in its catalogue',
        columns: ['shows', 'seconds to start', 'MiB before anybody came', `MiB with ${BUSY_SHOWS} busy`],
        rows: [row(readable(count), 'many'), row(readable(BUSY_SHOWS), 'few')],
      },
    ],
    versions: [`Node ${process.versions.node}`],
  };
}

export const shows: Benchmark = {
  name: 'shows',
  what: 'resident memory of a gateway with 2,000 shows in the catalogue, 4 of them busy',
  against: 'the same with 4 shows',
  target: `≤ ${SHOWS_TARGET} ×, start ≤ ${START_TARGET_SECONDS} s`,
  measure: measureShows,
};

import { setTimeout as pause } from 'node:timers/promises';
import { showId } from '../../../src/platform/ids.ts';
import { startRedis } from '../../stack/private-servers.ts';
import type { Benchmark, BenchContext, Findings } from '../benchmark.ts';
import { sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import { CpuMeter } from '../cpu-time.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { installPeers, peerVersion } from '../peers/peer-packages.ts';
import type { PeerName, PeerServer, Telling } from '../peers/peer-server.ts';
import { spreadText } from '../report.ts';
import { addBenchShow } from '../rigs/catalog.ts';
import { ChildCalls } from '../rigs/child-calls.ts';
import { startDriver } from '../rigs/driver-process.ts';
import { SeatStir } from '../rigs/seat-stir.ts';
import { dataFolder, requireSockets, ServerProcess } from '../rigs/server-process.ts';
import { spreadOf } from '../statistics.ts';

const SOCKETS = 1_000;
const CHANGES_PER_SECOND = 100;
const LISTEN_MS = 4_000;
const TICK_MS = 50;
const SETTLE_MS = 300;
const VENUE = { sections: 1, seatsPerSection: 1_000, seatsPerBuyer: 32 };
/** How often ours must be the idiomatic use of each. */
const TARGETS: Readonly<Record<PeerName, number>> = { ws: 1.2, 'socket.io': 5, colyseus: 5 };
const PEERS = Object.keys(TARGETS) as readonly PeerName[];
const TELLINGS: readonly Telling[] = ['idiomatic', 'batched'];
const OURS = 'Stampede';

interface Contender {
  readonly name: string;
  /** Deliveries and the server's CPU seconds. */
  readonly measure: (ms: number, isWarmUp: boolean) => Promise<{ deliveries: number; cpuSeconds: number }>;
}

async function measure(context: BenchContext): Promise<Findings> {
  await installPeers(context.say);
  const sockets = sized(SOCKETS, context, 250);
  requireSockets(sockets);
  const contenders = [await ours(context, sockets)];
  for (const peer of PEERS) contenders.push(...(await peerContenders(context, peer, sockets)));
  const ms = sized(LISTEN_MS, context, 1_000);
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let run = 0; run <= context.runs; run++) {
    context.say(run === 0 ? 'warming up' : `run ${run} of ${context.runs}`);
    for (const { name, measure: one } of contenders) {
      const { deliveries, cpuSeconds } = await one(ms, run === 0);
      if (cpuSeconds === 0) throw new BenchError(`fan-out-peers: ${name} was too short to be measured.`);
      if (run > 0) rates.get(name)?.push(deliveries / cpuSeconds);
    }
  }
  return findings(rates);
}

function findings(rates: ReadonlyMap<string, readonly number[]>): Findings {
  const median = (name: string): number => spreadOf(rates.get(name) ?? []).median;
  const own = rates.get(OURS) ?? [];
  return {
    unit: 'deliveries/CPU s',
    runs: own.map((value, run) => ({ value, yardstick: rates.get('ws, idiomatic')?.[run] ?? null })),
    reached: PEERS.every((peer) => median(OURS) >= TARGETS[peer] * median(`${peer}, idiomatic`)),
    remarks: [
      `A delivery is one seat change at one client; ${CHANGES_PER_SECOND} changes/s to ${SOCKETS} clients. Ours reads them ` +
        'from Redis and keeps the history that a client may resume from; the others make them up.',
    ],
    charts: [
      {
        name: 'fan-out-peers',
        title: 'Seat changes delivered for a second of CPU',
        unit: 'deliveries/CPU s',
        bars: [...rates].map(([label, values]) => ({
          label,
          spread: spreadOf(values),
          isOurs: label === OURS,
        })),
      },
    ],
    tables: [
      {
        title: 'Deliveries a CPU second of the server',
        columns: ['server', 'deliveries/CPU s', 'ours is'],
        rows: [...rates].map(([name, values]) => [
          name,
          spreadText(spreadOf(values)),
          `${(median(OURS) / median(name)).toFixed(1)} ×`,
        ]),
      },
    ],
    cpu: [],
    versions: ['ws', 'socket.io', '@colyseus/core', '@colyseus/schema'].map(peerVersion),
  };
}

async function ours(context: BenchContext, sockets: number): Promise<Contender> {
  const redis = await startRedis(context.say);
  context.afterwards(() => redis.remove());
  const dataDir = await dataFolder(context);
  const show = await addBenchShow({ dataDir }, VENUE);
  const server = await ServerProcess.start(context, { DATA_DIR: dataDir, REDIS_URL: redis.url });
  const driver = startDriver(context);
  await driver.call('open', { port: server.port, sockets, buyers: true, firstBuyer: 0 });
  await driver.call('enter', { show, until: 'entered', watch: [0], watchers: sockets });
  const warmUp = new WindowMeter(null, { server });
  const measured = new WindowMeter(context.observer, { server });
  return {
    name: OURS,
    async measure(ms, isWarmUp) {
      const meter = isWarmUp ? warmUp : measured;
      const stir = new SeatStir(redis.url, showId(show), VENUE);
      await meter.start();
      const heard = await stir.during(1, 2_000 / CHANGES_PER_SECOND, () => driver.call('listen', { ms }));
      const cpuSeconds = (await meter.stop()).get('server') ?? 0;
      if (heard.gaps > 0) throw new BenchError(`fan-out-peers: ${heard.gaps} frames were missing.`);
      return { deliveries: heard.changes, cpuSeconds };
    },
  };
}

async function peerContenders(
  context: BenchContext,
  name: PeerName,
  sockets: number,
): Promise<readonly Contender[]> {
  const server = new ChildCalls<PeerServer>(new URL('../peers/peer-server.ts', import.meta.url), name);
  context.afterwards(() => server.end());
  const port = await server.call('listen', { name });
  const driver = startDriver(context);
  await driver.call('openPeer', { port, sockets, name });
  const meter = new CpuMeter({ server: server.pid });
  return TELLINGS.map((telling) => ({
    name: `${name}, ${telling}`,
    async measure(ms: number) {
      await driver.call('countPeer', null);
      meter.start();
      const order = { telling, perSecond: CHANGES_PER_SECOND, ms, tickMs: TICK_MS };
      const told = await server.call('stir', order);
      await pause(SETTLE_MS);
      const cpuSeconds = meter.stop().get('server') ?? 0;
      const messages = await driver.call('countPeer', null);
      // Each client hears of each change, or of each tick; Colyseus cuts its own ticks.
      const expected = sockets * (telling === 'batched' ? Math.floor(ms / TICK_MS) : told);
      const isRight =
        name === 'colyseus' && telling === 'idiomatic' ? messages >= sockets : messages === expected;
      if (!isRight) throw new BenchError(`${name}, ${telling}: ${messages} messages came, not ${expected}.`);
      return { deliveries: told * sockets, cpuSeconds };
    },
  }));
}

export const fanOutPeers: Benchmark = {
  name: 'fan-out-peers',
  what: 'seat changes delivered for a second of CPU, beside what else sends to many sockets',
  against: 'ws, one message a change',
  target: '≥ 1.2 × ws, ≥ 5 × Socket.IO, ≥ 5 × Colyseus, used as their documentation shows first',
  measure,
};

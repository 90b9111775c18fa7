import { setTimeout as pause } from 'node:timers/promises';
import {
  type BenchContext,
  type Benchmark,
  demand,
  eachRunWarm,
  type Findings,
  medianRatio,
  sized,
} from '../benchmark.ts';
import type { ListenResult } from '../driver/driver-calls.ts';
import { installPeers, peerVersion } from '../peers/peer-packages.ts';
import type { PeerName, PeerServer, Telling } from '../peers/peer-server.ts';
import { spreadTextOf } from '../report.ts';
import { readable, spreadOf } from '../statistics.ts';
import { PRICE } from '../rigs/bench-show.ts';
import { startChild } from '../rigs/child.ts';
import { enter, openHoldHouse, startBareServer, startDriver } from '../rigs/house.ts';
import { installedVersion, metered } from '../surroundings.ts';

const MS_PER_SECOND = 1_000;
const SOCKETS = 10_000;
const LISTEN_MS = 5_000;
const VENUE = { sections: 1, seatsPerSection: 1_000, seatsPerBuyer: 32 };
/** Taken and given back: 64 changes each time. */
const SEATS_AT_ONCE = 32;
const STIRS_PER_SECOND = 25;
/** Who stirs. With no common divisor with the seats: nobody may have the same seats again soon. */
const STIRRERS = 29;
const TARGET = 0.9;

const PEER_SOCKETS = 1_000;
const CHANGES_PER_SECOND = 100;
const PEER_LISTEN_MS = 4_000;
const TICK_MS = 50;
const SETTLE_MS = 300;
/** How often ours must be the idiomatic use of each. */
const PEER_TARGETS: Readonly<Record<PeerName, number>> = { ws: 1.2, 'socket.io': 5, colyseus: 5 };
const PEERS = Object.keys(PEER_TARGETS) as readonly PeerName[];
const TELLINGS: readonly Telling[] = ['idiomatic', 'batched'];
const OURS = 'Stampede';

/** A gateway whose clients watch, and what listens while a few buyers take seats and give them back. */
async function openStirredHouse(context: BenchContext, sockets: number) {
  const watching = { until: 'entered', watch: [0], watchers: sockets } as const;
  const house = await openHoldHouse(context, { venue: VENUE, sockets, ...watching });
  const { port } = house.gateway;
  const stirrers = await startDriver(context, { port, sockets: STIRRERS, firstBuyer: sockets });
  await enter(stirrers, { show: house.show, until: 'admitted', watch: [], watchers: 0 });
  const listen = (ms: number, seatsAtOnce: number, perSecond: number) =>
    metered({ gateway: house.gateway }, async () => {
      const shopping = { seatsAtOnce, then: 'release', seatCount: VENUE.seatsPerSection } as const;
      const stirring = stirrers.calls.work({
        errand: { kind: 'shop', ...shopping, price: PRICE, label: '' },
        times: Math.ceil(((ms / MS_PER_SECOND) * perSecond) / STIRRERS),
        pace: { perSecond },
      });
      const heard = await house.driver.calls.listen({ ms });
      const { outcomes } = await stirring;
      demand(context, Object.keys(outcomes).join() === 'released', `stirring: ${JSON.stringify(outcomes)}`);
      demand(context, heard.gaps === 0, `${heard.gaps} frames were missing`);
      demand(context, heard.frames > 0, 'nothing was delivered');
      return heard;
    });
  return { house, listen };
}

/** What a socket server delivered, and what that took of its process. */
const deliveryOf = ({ changes, seconds, frames }: ListenResult, cpuSeconds = NaN) => ({
  changesPerSecond: changes / seconds,
  framesPerCpuSecond: frames / cpuSeconds,
});

async function measureFanOut(context: BenchContext): Promise<Findings> {
  const sockets = sized(SOCKETS, context, 100);
  const listenMs = sized(LISTEN_MS, context, 1_000);
  const { house, listen } = await openStirredHouse(context, sockets);
  const { server, port } = await startBareServer(context, 1);
  const bareDriver = await startDriver(context, { port, sockets, firstBuyer: null });
  const rounds = await eachRunWarm(context, async () => {
    const { result: heard, cpu } = await listen(listenMs, SEATS_AT_ONCE, STIRS_PER_SECOND);
    const tickMs = (heard.seconds * MS_PER_SECOND) / heard.sample.length;
    const bare = await metered({ 'bare server': server }, async () => {
      const listening = bareDriver.calls.listen({ ms: heard.sample.length * tickMs });
      await server.calls.publish({ frames: heard.sample, tickMs });
      return listening;
    });
    const ours = deliveryOf(heard, cpu['gateway']);
    const theirs = deliveryOf(bare.result, bare.cpu['bare server']);
    return { ours, theirs };
  });
  const runs = rounds.map(({ ours, theirs }) => ({
    value: ours.changesPerSecond,
    yardstick: theirs.changesPerSecond,
  }));
  const perCpu = rounds.map(({ ours, theirs }) => ours.framesPerCpuSecond / theirs.framesPerCpuSecond);
  const { median } = spreadOf(rounds.map(({ ours }) => ours.framesPerCpuSecond));
  return {
    unit: 'seat changes/s',
    runs,
    reached: medianRatio(runs) >= TARGET,
    remarks: [
      `${readable(median)} frames a CPU second of the gateway, deciding on the seats, reading the feed and packing ` +
        `included; of the bare server's ${spreadTextOf(perCpu)}`,
    ],
    versions: [house.redis.product, installedVersion('uWebSockets.js')],
  };
}

export const fanOut: Benchmark = {
  name: 'fan-out',
  what: 'seat changes delivered a second to 10,000 sockets',
  against: 'a bare uWebSockets.js publish loop, equal bytes and tick',
  target: `≥ ${TARGET}`,
  measure: measureFanOut,
};

/** One of those who are compared. */
interface Contender {
  readonly name: string;
  /** Deliveries a second of the server's CPU, over so many milliseconds. */
  readonly measure: (ms: number) => Promise<number>;
}

async function measurePeers(context: BenchContext): Promise<Findings> {
  await installPeers(context.say);
  const sockets = sized(PEER_SOCKETS, context, 250);
  const contenders = [await ourselves(context, sockets)];
  for (const peer of PEERS) contenders.push(...(await peerContenders(context, peer, sockets)));
  const ms = sized(PEER_LISTEN_MS, context, 1_000);
  const rounds = await eachRunWarm(context, async () => {
    const rates = new Map<string, number>();
    for (const { name, measure } of contenders) {
      rates.set(name, await measure(ms));
      demand(context, Number.isFinite(rates.get(name)), `${name} was too short to be measured`);
    }
    return rates;
  });
  const ratesOf = (name: string): readonly number[] => rounds.map((rates) => rates.get(name) ?? NaN);
  const median = (name: string): number => spreadOf(ratesOf(name)).median;
  return {
    unit: 'deliveries/CPU s',
    runs: rounds.map((rates) => ({
      value: rates.get(OURS) ?? NaN,
      yardstick: rates.get('ws, idiomatic') ?? NaN,
    })),
    reached: PEERS.every((peer) => median(OURS) >= PEER_TARGETS[peer] * median(`${peer}, idiomatic`)),
    remarks: [
      `A delivery is one seat change at one client; ${CHANGES_PER_SECOND} changes/s to ${sockets} clients. Ours decides ` +
        'on the seats, reads them from Redis and keeps the history that a client may resume from; the others make them up.',
    ],
    charts: [
      {
        title: 'Seat changes delivered for a second of CPU',
        unit: 'deliveries/CPU s',
        bars: new Map(contenders.map(({ name }) => [name, median(name)])),
      },
    ],
    tables: [
      {
        title: 'Deliveries a CPU second of the server',
        columns: ['server', 'deliveries/CPU s', 'ours is'],
        rows: contenders.map(({ name }) => [
          name,
          spreadTextOf(ratesOf(name)),
          `${(median(OURS) / median(name)).toFixed(1)} ×`,
        ]),
      },
    ],
    versions: ['ws', 'socket.io', '@colyseus/core', '@colyseus/schema'].map(peerVersion),
  };
}

async function ourselves(context: BenchContext, sockets: number): Promise<Contender> {
  const { listen } = await openStirredHouse(context, sockets);
  return {
    name: OURS,
    async measure(ms) {
      // A seat is taken and given back: two changes.
      const { result, cpu } = await listen(ms, 1, CHANGES_PER_SECOND / 2);
      return result.changes / (cpu['gateway'] ?? 0);
    },
  };
}

async function peerContenders(
  context: BenchContext,
  name: PeerName,
  sockets: number,
): Promise<readonly Contender[]> {
  const server = startChild<PeerServer>(context, name, new URL('../peers/peer-server.ts', import.meta.url));
  const port = await server.calls.listen({ name });
  const driver = await startDriver(context, { port, sockets, name });
  return TELLINGS.map((telling) => ({
    name: `${name}, ${telling}`,
    async measure(ms: number) {
      await driver.calls.countPeer();
      const order = { telling, perSecond: CHANGES_PER_SECOND, ms, tickMs: TICK_MS };
      const { result: told, cpu } = await metered({ server }, async () => {
        const count = await server.calls.stir(order);
        await pause(SETTLE_MS);
        return count;
      });
      const messages = await driver.calls.countPeer();
      // Each client hears of each change, or of each tick; Colyseus cuts its own ticks.
      const expected = sockets * (telling === 'batched' ? Math.floor(ms / TICK_MS) : told);
      const isRight =
        name === 'colyseus' && telling === 'idiomatic' ? messages >= sockets : messages === expected;
      demand(context, isRight, `${name}, ${telling}: ${messages} messages came, not ${expected}`);
      return (told * sockets) / (cpu['server'] ?? 0);
    },
  }));
}

export const fanOutPeers: Benchmark = {
  name: 'fan-out-peers',
  what: 'seat changes delivered for a second of CPU, beside what else sends to many sockets',
  against: 'ws, one message a change',
  target: '≥ 1.2 × ws, ≥ 5 × Socket.IO, ≥ 5 × Colyseus, used as their documentation shows first',
  measure: measurePeers,
};

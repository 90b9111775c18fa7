import type { Random } from '@stampede/shared/platform/random.ts';
import type { FleetNode } from '../../test/integration/stack/fleet.ts';
import type { NativeServer } from '../stack/native-server.ts';
import type { FaultHouse } from './fault-house.ts';

/** Something that goes wrong and is over when the promise resolves; nodes that died are not back by then. */
export interface Fault {
  readonly name: string;
  strike(house: FaultHouse, random: Random): Promise<void>;
}

const CLOCK_ERROR_MS = 600_000;
const WRONG_CLOCK_LIVES_MS = 25_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const between = (random: Random, lowMs: number, highMs: number): number =>
  lowMs + random() * (highMs - lowMs);

function oneOf(nodes: readonly FleetNode[], random: Random): FleetNode | undefined {
  return nodes[Math.floor(random() * nodes.length)];
}

const killed = (role: 'gateway' | 'worker'): Fault => ({
  name: `kill -9 of a ${role}`,
  async strike(house, random) {
    const node = oneOf(house.nodes(role), random);
    if (node) await house.kill(node);
    await pause(between(random, 500, 4_000));
  },
});

const hung = (name: string, of: (house: FaultHouse) => NativeServer, longestMs: number): Fault => ({
  name: `${name} hangs`,
  async strike(house, random) {
    const server = of(house);
    server.pause();
    try {
      await pause(between(random, 1_000, longestMs));
    } finally {
      server.resume();
    }
  },
});

const restarted = (name: string, of: (house: FaultHouse) => NativeServer): Fault => ({
  name: `${name} is killed and comes back`,
  async strike(house, random) {
    const server = of(house);
    await server.kill();
    await pause(between(random, 200, 3_000));
    await server.start();
  },
});

const wrongClock = (role: 'gateway' | 'worker', byMs: number): Fault => ({
  name: `a ${role} joins whose clock is ${byMs > 0 ? 'ahead' : 'behind'} by ${Math.abs(byMs) / 60_000} min`,
  async strike(house) {
    const node = await house.add(role, byMs);
    await pause(WRONG_CLOCK_LIVES_MS);
    await house.kill(node);
  },
});

const workersComeAndGo: Fault = {
  name: 'two workers join and leave',
  async strike(house, random) {
    const joined = [await house.add('worker'), await house.add('worker')];
    await pause(between(random, 4_000, 10_000));
    await Promise.all(joined.map((node) => house.stop(node)));
  },
};

const emptied: Fault = {
  name: 'Redis is emptied (FLUSHALL)',
  async strike(house) {
    await house.redis((redis) => redis.flushall());
  },
};

const rewound: Fault = {
  name: 'Redis comes back with what it had some seconds ago',
  async strike(house, random) {
    const putBack = await house.copyRedis();
    await pause(between(random, 2_000, 15_000));
    await putBack();
  },
};

const redis = (house: FaultHouse): NativeServer => house.parts.redis;
const database = (house: FaultHouse): NativeServer => house.parts.database;
const kafka = (house: FaultHouse): NativeServer => house.parts.kafka;

/** Every fault of the mixed run; a list that is shuffled again and again, so that each comes about as often. */
export const FAULTS: readonly Fault[] = [
  killed('gateway'),
  killed('worker'),
  hung('Redis', redis, 8_000),
  hung('MySQL', database, 12_000),
  hung('Kafka', kafka, 12_000),
  restarted('Redis', redis),
  restarted('MySQL', database),
  restarted('Kafka', kafka),
  emptied,
  rewound,
  wrongClock('gateway', CLOCK_ERROR_MS),
  wrongClock('gateway', -CLOCK_ERROR_MS),
  wrongClock('worker', CLOCK_ERROR_MS),
  wrongClock('worker', -CLOCK_ERROR_MS),
  workersComeAndGo,
];

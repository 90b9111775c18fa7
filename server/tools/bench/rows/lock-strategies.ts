import { Redis } from 'ioredis';
import { startDatabase, startRedis } from '../../stack/private-servers.ts';
import type { Benchmark, BenchContext, Findings } from '../benchmark.ts';
import { CpuMeter } from '../cpu-time.ts';
import { installedVersion } from '../installed-version.ts';
import { installPeers, peerVersion } from '../peers/peer-packages.ts';
import { spreadText } from '../report.ts';
import { openBenchMysql } from '../rigs/catalog.ts';
import { spreadOf } from '../statistics.ts';
import { attemptsPerSecond, type Wish } from '../strategies/contest.ts';
import { inProcess, ourLua, ourMysql } from '../strategies/our-strategies.ts';
import { redlocks } from '../strategies/redlock.ts';
import { RowLock } from '../strategies/row-lock.ts';
import type { Strategy } from '../strategies/strategy.ts';

/** Buyers whose clicks are under way at a time. */
const AT_ONCE = 200;
const WISHES: readonly Wish[] = ['random', 'hot'];
const TO_REDLOCK = 3;
const TO_ROW_LOCK = 15;
const OURS = 'our Lua';
const ROW_LOCK = 'MySQL row lock';
const REDLOCKS = ['redlock', 'redlock, no retries'];

type Rates = Map<string, Record<Wish, number[]>>;

async function measure(context: BenchContext): Promise<Findings> {
  await installPeers(context.say);
  const redisServer = await startRedis(context.say);
  context.afterwards(() => redisServer.remove());
  const databaseServer = await startDatabase(context.say);
  context.afterwards(() => databaseServer.remove());
  const redis = new Redis(redisServer.url);
  context.afterwards(() => redis.disconnect());
  const database = await openBenchMysql(databaseServer.url);
  context.afterwards(() => database.close());
  const rowLock = new RowLock(databaseServer.url);
  context.afterwards(() => rowLock.close());
  const strategies = [inProcess(), ...ourLua(redis), ...redlocks(redis), rowLock, ourMysql(database)];

  const meter = new CpuMeter({ clients: process.pid, Redis: redisServer.pid, database: databaseServer.pid });
  const rates: Rates = new Map(strategies.map(({ name }) => [name, { random: [], hot: [] }]));
  let house = 0;
  // The first round warms up: connections, compiled code, caches of the database.
  for (let round = 0; round <= context.runs; round++) {
    context.say(round === 0 ? 'warming up' : `run ${round} of ${context.runs}`);
    for (const strategy of strategies) {
      for (const wish of WISHES) {
        house += 1;
        const share = round === 0 ? context.size / 10 : context.size;
        const attempts = Math.max(AT_ONCE, Math.round(strategy.attempts * share));
        meter.start();
        const rate = await attemptsPerSecond(strategy, wish, { house, attempts, atOnce: AT_ONCE });
        meter.stop();
        if (round > 0) rates.get(strategy.name)?.[wish].push(rate);
      }
    }
  }
  const versions = [
    redisServer.product,
    databaseServer.product,
    peerVersion('redlock'),
    installedVersion('ioredis'),
    installedVersion('mysql2'),
  ];
  return { ...findings(strategies, rates), cpu: meter.shares, versions };
}

function findings(strategies: readonly Strategy[], rates: Rates): Omit<Findings, 'cpu' | 'versions'> {
  const of = (name: string, wish: Wish): readonly number[] => rates.get(name)?.[wish] ?? [];
  const median = (name: string, wish: Wish): number => spreadOf(of(name, wish)).median;
  const toBestRedlock = WISHES.map(
    (wish) => median(OURS, wish) / Math.max(...REDLOCKS.map((name) => median(name, wish))),
  );
  const toRowLock = WISHES.map((wish) => median(OURS, wish) / median(ROW_LOCK, wish));
  return {
    unit: 'attempts/s',
    runs: of(OURS, 'random').map((value, run) => ({
      value,
      yardstick: Math.max(...REDLOCKS.map((name) => of(name, 'random')[run] ?? 0)),
    })),
    reached: Math.min(...toBestRedlock) >= TO_REDLOCK && Math.min(...toRowLock) >= TO_ROW_LOCK,
    remarks: [
      `our Lua is ${ratioText(toBestRedlock)} × the faster redlock, ${ratioText(toRowLock)} × the row lock ` +
        '(random seats, one hot seat)',
    ],
    charts: WISHES.map((wish) => ({
      name: `lock-strategies-${wish}`,
      title: wish === 'hot' ? '200 buyers at once, one hot seat' : '200 buyers at once, random seats',
      unit: 'attempts/s',
      bars: strategies.map(({ name }) => ({
        label: name,
        spread: spreadOf(of(name, wish)),
        isOurs: name.startsWith('our'),
      })),
    })),
    tables: [
      {
        title: `Attempts a second of ${AT_ONCE} buyers at once, median (min … max)`,
        columns: ['strategy', 'random seats', 'one hot seat', 'how'],
        rows: strategies.map(({ name, how }) => [
          name,
          ...WISHES.map((wish) => spreadText(spreadOf(of(name, wish)))),
          how,
        ]),
      },
    ],
  };
}

const ratioText = (ratios: readonly number[]): string => ratios.map((one) => one.toFixed(1)).join(' and ');

export const lockStrategies: Benchmark = {
  name: 'lock-strategies',
  what: 'attempts to get a seat, a second, by ways to decide who gets it; random seats',
  against: 'redlock, the faster of its two settings',
  target: `≥ ${TO_REDLOCK} × redlock, ≥ ${TO_ROW_LOCK} × a MySQL row lock, random seats and one hot seat`,
  measure,
};

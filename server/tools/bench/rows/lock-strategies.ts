import { Redis } from 'ioredis';
import { type BenchContext, type Benchmark, eachRun, type Findings } from '../benchmark.ts';
import { installPeers, peerVersion } from '../peers/peer-packages.ts';
import { spreadTextOf } from '../report.ts';
import { readable, spreadOf } from '../statistics.ts';
import { openBenchMysql, provide } from '../rigs/house.ts';
import { inProcess, ourLua, ourMysql } from '../strategies/our-strategies.ts';
import { redlocks } from '../strategies/redlock.ts';
import { RowLock } from '../strategies/row-lock.ts';
import { attemptsPerSecond, type Contest, type Strategy, type Wish } from '../strategies/strategy.ts';
import { installedVersion } from '../surroundings.ts';
import { startDatabase, startRedis } from '../../stack/private-servers.ts';

/** Buyers whose clicks are under way at a time. */
const AT_ONCE = 200;
const WISHES: readonly Wish[] = ['random', 'hot'];
const TO_REDLOCK = 3;
const TO_ROW_LOCK = 15;
const OURS = 'our Lua';
const ROW_LOCK = 'MySQL row lock';
const REDLOCKS = ['redlock', 'redlock, no retries'];
/** Of the load: connections, compiled code, caches of the database. */
const WARM_UP = 0.1;

/** How each way did in one run, by its name. */
type Round = ReadonlyMap<string, Readonly<Record<Wish, Contest>>>;

async function measure(context: BenchContext): Promise<Findings> {
  await installPeers(context.say);
  const redisServer = await provide(context, startRedis);
  const databaseServer = await provide(context, startDatabase);
  const redis = new Redis(redisServer.url);
  context.afterwards(() => redis.disconnect());
  const database = await openBenchMysql(databaseServer.url);
  context.afterwards(() => database.close());
  const rowLock = new RowLock(databaseServer.url);
  context.afterwards(() => rowLock.close());
  const strategies = [inProcess(), ...ourLua(redis), ...redlocks(redis), rowLock, ourMysql(database)];

  let house = 0;
  const contest = (strategy: Strategy, wish: Wish, share: number): Promise<Contest> => {
    const attempts = Math.max(AT_ONCE, Math.round(strategy.attempts * share));
    return attemptsPerSecond(strategy, wish, { house: ++house, attempts, atOnce: AT_ONCE });
  };
  const everyWay = async (share: number): Promise<Round> => {
    const round = new Map<string, Record<Wish, Contest>>();
    for (const strategy of strategies) {
      const random = await contest(strategy, 'random', share);
      round.set(strategy.name, { random, hot: await contest(strategy, 'hot', share) });
    }
    return round;
  };
  context.say('warming up');
  await everyWay(context.size * WARM_UP);
  const rounds = await eachRun(context, () => everyWay(context.size));
  return {
    ...findings(strategies, rounds),
    versions: [
      redisServer.product,
      databaseServer.product,
      peerVersion('redlock'),
      installedVersion('ioredis'),
      installedVersion('mysql2'),
    ],
  };
}

function findings(strategies: readonly Strategy[], rounds: readonly Round[]): Omit<Findings, 'versions'> {
  const of = (name: string, wish: Wish, figure: keyof Contest = 'perSecond'): readonly number[] =>
    rounds.map((round) => round.get(name)?.[wish][figure] ?? NaN);
  const median = (name: string, wish: Wish, figure?: keyof Contest): number =>
    spreadOf(of(name, wish, figure)).median;
  const toRedlock = WISHES.map(
    (wish) => median(OURS, wish) / Math.max(...REDLOCKS.map((name) => median(name, wish))),
  );
  const toRowLock = WISHES.map((wish) => median(OURS, wish) / median(ROW_LOCK, wish));
  const both = (ratios: readonly number[]): string => ratios.map((one) => one.toFixed(1)).join(' and ');
  const latencies = (name: string, wish: Wish): string =>
    `${readable(median(name, wish, 'p50'))} / ${readable(median(name, wish, 'p99'))}`;
  return {
    unit: 'attempts/s',
    runs: of(OURS, 'random').map((value, run) => ({
      value,
      yardstick: Math.max(...REDLOCKS.map((name) => of(name, 'random')[run] ?? NaN)),
    })),
    reached: Math.min(...toRedlock) >= TO_REDLOCK && Math.min(...toRowLock) >= TO_ROW_LOCK,
    remarks: [
      `our Lua is ${both(toRedlock)} × the faster redlock, ${both(toRowLock)} × the row lock (random seats, one hot seat)`,
    ],
    charts: WISHES.map((wish) => ({
      title: `${AT_ONCE} buyers at once, ${wish === 'hot' ? 'one hot seat' : 'random seats'}`,
      unit: 'attempts/s',
      bars: new Map(strategies.map(({ name }) => [name, median(name, wish)])),
    })),
    tables: [
      {
        title: `${AT_ONCE} buyers at once: attempts a second, median (min … max), and milliseconds to the answer, p50 / p99`,
        columns: ['way', 'random seats', 'ms', 'one hot seat', 'ms', 'how'],
        rows: strategies.map(({ name, how }) => [
          name,
          ...WISHES.flatMap((wish) => [spreadTextOf(of(name, wish)), latencies(name, wish)]),
          how,
        ]),
      },
      {
        title: 'What the figures do not say',
        columns: ['way', 'how it scales out', 'who waits, and how', 'what a crash leaves'],
        rows: strategies.map(({ name, scaling, waiting, crash }) => [name, scaling, waiting, crash]),
      },
    ],
  };
}

export const lockStrategies: Benchmark = {
  name: 'lock-strategies',
  what: 'attempts to get a seat, a second, by ways to decide who gets it; random seats',
  against: 'redlock, the faster of its two settings',
  target: `≥ ${TO_REDLOCK} × redlock, ≥ ${TO_ROW_LOCK} × a MySQL row lock, random seats and one hot seat`,
  measure,
};

import {
  type BenchContext,
  type Benchmark,
  demand,
  eachRun,
  eachRunWarm,
  type Findings,
  medianRatio,
  medianValue,
  sized,
} from '../benchmark.ts';
import type { WorkResult } from '../driver/driver-calls.ts';
import { spreadTextOf } from '../report.ts';
import { spreadOf } from '../statistics.ts';
import { openHoldHouse, provide, startBareServer, startDriver } from '../rigs/house.ts';
import { ScriptAlone } from '../rigs/script-alone.ts';
import { scriptCalls } from '../rigs/server-books.ts';
import { RowLock } from '../strategies/row-lock.ts';
import { attemptsPerSecond } from '../strategies/strategy.ts';
import { installedVersion, metered } from '../surroundings.ts';
import { startDatabase, startRedis } from '../../stack/private-servers.ts';

const SOCKETS = 8_000;
/** Requests under way: what a stampede of that many impatient people is at any moment. */
const IN_FLIGHT = 1_000;
const SEATS_PER_BUYER = 4;
const VENUE = { sections: 100, seatsPerSection: 1_000, seatsPerBuyer: SEATS_PER_BUYER };
/** A few clients look on, so that the feed is read, packed and sent as in a sale. */
const WATCHED = { watch: [0, 1, 2, 3, 4, 5, 6, 7], watchers: 100 };
const SCRIPT_CALLS = 40_000;
const RELEASING = { errand: { kind: 'release' }, times: 1, pace: { inFlight: 200 } } as const;

const ECHO_RATIO = 0.7;
const SCRIPT_RATIO = 1;
const MICROSECONDS = 1e6;

const LOAD_SHARE = 0.7;
const P99_TARGET_MS = 10;

const HOT_SESSIONS = 2_000;
/** Within what one socket may say at once. */
const HOT_ATTEMPTS_EACH = 20;
const HOT_VENUE = { sections: 20, seatsPerSection: 1_000, seatsPerBuyer: 4 };
const HOT_SEAT = 4_711;
const ROW_LOCK_AT_ONCE = 200;
const ROW_LOCK_RATIO = 15;

const rateOf = ({ outcomes, seconds }: WorkResult): number =>
  Object.values(outcomes).reduce((sum, count) => sum + count, 0) / seconds;

/** A house full of buyers, and what they do: hold seats all over the house as fast as they can, and give them back. */
async function openCrowdedHouse(context: BenchContext) {
  const sockets = sized(SOCKETS, context, 100);
  const house = await openHoldHouse(context, { venue: VENUE, sockets, until: 'admitted', ...WATCHED });
  const { driver, seatCount } = house;
  const errand = { kind: 'hold', seat: null, seatCount } as const;
  const full = { times: SEATS_PER_BUYER, pace: { inFlight: Math.min(IN_FLIGHT, sockets) } };
  return {
    house,
    sockets,
    full,
    hold: async (pace: { inFlight: number } | { perSecond: number } = full.pace): Promise<WorkResult> => {
      const held = await driver.calls.work({ errand, times: SEATS_PER_BUYER, pace });
      const { refused = 0 } = held.outcomes;
      demand(context, refused === 0, `${refused} holds of free seats were refused`);
      return held;
    },
    release: () => driver.calls.work(RELEASING),
  };
}

async function measureHold(context: BenchContext): Promise<Findings> {
  const { house, sockets, full, hold, release } = await openCrowdedHouse(context);
  context.say('warming up');
  const { replyBytes } = await hold();
  await release();
  const bare = await startBareServer(context, Math.round(replyBytes));
  const echoing = await startDriver(context, { port: bare.port, sockets, firstBuyer: null });
  const echo = () => echoing.calls.work({ errand: { kind: 'echo' }, ...full });
  await echo();
  // In a Redis of its own, so that neither has the other's history on its disk.
  const scriptRedis = await provide(context, startRedis);
  const script = new ScriptAlone(scriptRedis.url);
  context.afterwards(() => script.close());

  const rounds = await eachRun(context, async () => {
    const callsBefore = await scriptCalls(house.redis.url);
    const { result: ours, cpu } = await metered({ Redis: house.redis }, hold);
    const { held = 0 } = ours.outcomes;
    const batch = held / ((await scriptCalls(house.redis.url)) - callsBefore);
    await release();
    const value = rateOf(ours);
    const yardstick = rateOf(await echo());
    const scriptRate = await script.measure(sized(SCRIPT_CALLS, context, 1_000));
    const redisMicroseconds = ((cpu['Redis'] ?? 0) / held) * MICROSECONDS;
    return { value, yardstick, scriptRate, batch, p99: ours.p99, redisMicroseconds };
  });
  const toScript = rounds.map(({ value, scriptRate }) => value / scriptRate);
  const text = (of: (round: (typeof rounds)[number]) => number): string => spreadTextOf(rounds.map(of));
  return {
    unit: 'holds/s',
    runs: rounds.map(({ value, yardstick }) => ({ value, yardstick })),
    reached: medianRatio(rounds) >= ECHO_RATIO && spreadOf(toScript).median >= SCRIPT_RATIO,
    remarks: [
      `${text(({ batch }) => batch)} holds a script call; ${text((round) => round.redisMicroseconds)} µs of Redis' CPU a hold`,
      `redis-benchmark of the same script, one seat a call: ${text(({ scriptRate }) => scriptRate)} calls/s; ratio ${spreadTextOf(toScript)}`,
      `p99 at this rate, with everybody at it at once: ${text(({ p99 }) => p99)} ms`,
    ],
    versions: [house.redis.product, installedVersion('uWebSockets.js'), installedVersion('ioredis')],
  };
}

export const hold: Benchmark = {
  name: 'hold',
  what: 'holds of random seats a second through real sockets, gateway, Redis, reply and feed',
  against: 'a bare uWebSockets.js echo of equal frames to the same clients',
  target: `≥ ${ECHO_RATIO} of the echo, ≥ ${SCRIPT_RATIO} of redis-benchmark -P 1 with the same script`,
  measure: measureHold,
};

async function measureLatency(context: BenchContext): Promise<Findings> {
  const { house, hold, release } = await openCrowdedHouse(context);
  const round = async () => {
    const most = rateOf(await hold());
    await release();
    const paced = await hold({ perSecond: LOAD_SHARE * most });
    await release();
    return {
      value: paced.p99,
      yardstick: null,
      row: [most, LOAD_SHARE * most, paced.p50, paced.p99, paced.max],
    };
  };
  context.say('warming up');
  await hold();
  await release();
  const runs = await eachRun(context, round);
  return {
    unit: 'ms',
    runs: runs.map(({ value, yardstick }) => ({ value, yardstick })),
    reached: medianValue(runs) <= P99_TARGET_MS,
    remarks: [
      'Counted from when a click was due, not from when it could be sent, at that share of the rate right before.',
    ],
    tables: [
      {
        title: 'Runs',
        columns: ['most holds/s', 'asked holds/s', 'p50 ms', 'p99 ms', 'max ms'],
        rows: runs.map(({ row }) => row),
      },
    ],
    versions: [house.redis.product],
  };
}

export const holdLatency: Benchmark = {
  name: 'hold-latency',
  what: 'p99 of a hold at 70 % of the highest rate, through real sockets',
  target: `≤ ${P99_TARGET_MS} ms`,
  measure: measureLatency,
};

async function measureHotSeat(context: BenchContext): Promise<Findings> {
  const sockets = sized(HOT_SESSIONS, context, 100);
  const database = await provide(context, startDatabase);
  const rowLock = new RowLock(database.url);
  context.afterwards(() => rowLock.close());
  const house = await openHoldHouse(context, {
    ...{ venue: HOT_VENUE, sockets, until: 'admitted', watchers: sockets },
    watch: [Math.floor(HOT_SEAT / HOT_VENUE.seatsPerSection)],
  });
  const errand = { kind: 'hold', seat: HOT_SEAT, seatCount: house.seatCount } as const;
  const fight = () =>
    house.driver.calls.work({ errand, times: HOT_ATTEMPTS_EACH, pace: { inFlight: sockets } });
  const runs = await eachRunWarm(context, async (run) => {
    const result = await fight();
    const { held = 0 } = result.outcomes;
    // The one who has the seat may ask for it again and is told so; nobody else ever gets it.
    demand(context, held === HOT_ATTEMPTS_EACH, `the seat was given ${held} times`);
    await house.driver.calls.work(RELEASING);
    const attempts = Math.max(ROW_LOCK_AT_ONCE, sized(rowLock.attempts, context));
    const contest = await attemptsPerSecond(rowLock, 'hot', {
      house: run,
      attempts,
      atOnce: ROW_LOCK_AT_ONCE,
    });
    return { value: rateOf(result), yardstick: contest.perSecond };
  });
  return {
    unit: 'attempts/s',
    runs: runs.map(({ value, yardstick }) => ({ value, yardstick })),
    reached: medianRatio(runs) >= ROW_LOCK_RATIO,
    remarks: ['Ours through real sockets and the gateway, all watching; the row lock without any of that.'],
    versions: [house.redis.product, database.product, installedVersion('mysql2')],
  };
}

export const hotSeat: Benchmark = {
  name: 'hot-seat',
  what: 'attempts a second of 2,000 sessions on one seat, through real sockets',
  against: 'SELECT … FOR UPDATE on one row, called directly',
  target: `≥ ${ROW_LOCK_RATIO}`,
  measure: measureHotSeat,
};

import { startDatabase } from '../../stack/private-servers.ts';
import type { Benchmark, BenchContext, Findings, Run } from '../benchmark.ts';
import { ratiosOf, sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import { installedVersion } from '../installed-version.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { openHoldHouse } from '../rigs/hold-house.ts';
import { spreadOf } from '../statistics.ts';
import { attemptsPerSecond } from '../strategies/contest.ts';
import { RowLock } from '../strategies/row-lock.ts';
import { rateOf } from './hold.ts';

const SESSIONS = 2_000;
/** Within what one socket may say at once. */
const ATTEMPTS_EACH = 20;
const VENUE = { sections: 20, seatsPerSection: 1_000, seatsPerBuyer: 4 };
const HOT_SEAT = 4_711;
const ROW_LOCK_AT_ONCE = 200;
const TARGET = 15;

async function measure(context: BenchContext): Promise<Findings> {
  const sockets = sized(SESSIONS, context, 100);
  const database = await startDatabase(context.say);
  context.afterwards(() => database.remove());
  const rowLock = new RowLock(database.url);
  context.afterwards(() => rowLock.close());
  const entering = {
    until: 'admitted',
    watch: [(HOT_SEAT / VENUE.seatsPerSection) | 0],
    watchers: sockets,
  } as const;
  const { redis, server, driver, seatCount } = await openHoldHouse(context, {
    venue: VENUE,
    sockets,
    entering,
  });
  const meter = new WindowMeter(context.observer, { gateway: server, Redis: redis, clients: driver });
  const volley = { kind: 'hold', inFlight: sockets, seatCount, seat: HOT_SEAT, perSecond: null } as const;
  const runs: Run[] = [];
  for (let run = 0; run <= context.runs; run++) {
    context.say(run === 0 ? 'warming up' : `run ${run} of ${context.runs}`);
    if (run > 0) await meter.start();
    const fight = await driver.call('volley', { ...volley, perSocket: ATTEMPTS_EACH });
    if (run > 0) await meter.stop();
    // The one who has the seat may ask for it again and is told so; nobody else ever gets it.
    if (fight.held !== ATTEMPTS_EACH)
      throw new BenchError(`hot-seat: the seat was given ${fight.held} times.`);
    await driver.call('release', null);
    const attempts = Math.max(ROW_LOCK_AT_ONCE, sized(rowLock.attempts, context));
    const contest = { house: run, attempts, atOnce: ROW_LOCK_AT_ONCE };
    const yardstick = await attemptsPerSecond(rowLock, 'hot', contest);
    if (run > 0) runs.push({ value: rateOf(fight), yardstick });
  }
  return {
    unit: 'attempts/s',
    runs,
    reached: spreadOf(ratiosOf(runs)).median >= TARGET,
    remarks: ['Ours through real sockets and the gateway, all watching; the row lock without any of that.'],
    tables: [],
    cpu: meter.shares,
    versions: [redis.product, database.product, installedVersion('mysql2')],
  };
}

export const hotSeat: Benchmark = {
  name: 'hot-seat',
  what: 'attempts a second of 2,000 sessions on one seat, through real sockets',
  against: 'SELECT … FOR UPDATE on one row, called directly',
  target: `≥ ${TARGET}`,
  measure,
};

import type { Benchmark, BenchContext, Findings, Run } from '../benchmark.ts';
import { sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { openHoldHouse } from '../rigs/hold-house.ts';
import { readable, spreadOf } from '../statistics.ts';
import { rateOf } from './hold.ts';

const SOCKETS = 8_000;
const SEATS_PER_BUYER = 4;
const VENUE = { sections: 100, seatsPerSection: 1_000, seatsPerBuyer: SEATS_PER_BUYER };
const IN_FLIGHT = 1_000;
const LOAD_SHARE = 0.7;
const TARGET_MS = 10;
const WATCHED = { watch: [0, 1, 2, 3, 4, 5, 6, 7], watchers: 100 };

async function measure(context: BenchContext): Promise<Findings> {
  const sockets = sized(SOCKETS, context, 100);
  const entering = { until: 'admitted', ...WATCHED } as const;
  const { redis, server, driver, seatCount } = await openHoldHouse(context, {
    venue: VENUE,
    sockets,
    entering,
  });
  const volley = { kind: 'hold', perSocket: SEATS_PER_BUYER, seat: null, seatCount } as const;
  const full = { ...volley, inFlight: Math.min(IN_FLIGHT, sockets), perSecond: null };
  context.say('warming up');
  await driver.call('volley', full);
  await driver.call('release', null);
  const meter = new WindowMeter(context.observer, { gateway: server, Redis: redis, clients: driver });
  const runs: Run[] = [];
  const rows: number[][] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.say(`run ${run} of ${context.runs}`);
    const most = rateOf(await driver.call('volley', full));
    await driver.call('release', null);
    await meter.start();
    const paced = await driver.call('volley', { ...volley, inFlight: 0, perSecond: LOAD_SHARE * most });
    await meter.stop();
    await driver.call('release', null);
    if (paced.refused > 0) throw new BenchError(`hold-latency: ${paced.refused} holds were refused.`);
    runs.push({ value: paced.p99, yardstick: null });
    rows.push([most, LOAD_SHARE * most, paced.p50, paced.p99, paced.max]);
  }
  const { median } = spreadOf(runs.map(({ value }) => value));
  return {
    unit: 'ms',
    runs,
    reached: median <= TARGET_MS,
    remarks: [
      `Counted from when a click was due, not from when it could be sent; at ${readable(LOAD_SHARE * 100)} % of the rate ` +
        'measured right before.',
    ],
    tables: [
      {
        title: 'Runs',
        columns: ['most holds/s', 'asked holds/s', 'p50 ms', 'p99 ms', 'max ms'],
        rows,
      },
    ],
    cpu: meter.shares,
    versions: [redis.product],
  };
}

export const holdLatency: Benchmark = {
  name: 'hold-latency',
  what: 'p99 of a hold at 70 % of the highest rate, through real sockets',
  against: '',
  target: `≤ ${TARGET_MS} ms`,
  measure,
};

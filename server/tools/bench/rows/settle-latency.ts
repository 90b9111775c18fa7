import type { Benchmark, BenchContext, Findings, Run } from '../benchmark.ts';
import { sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { PRICE } from '../rigs/bench-show.ts';
import { openStackHouse, processesOf } from '../rigs/stack-house.ts';
import { spreadOf } from '../statistics.ts';

const ORDERS_PER_SECOND = 200;
const SECONDS = 15;
const SECTIONS = 20;
const SEATS_PER_SECTION = 1_000;
const TARGET_MS = 150;
/** Clients who see every section; the first of them has the clock. */
const WATCHERS = 100;
const IN_FLIGHT = 200;

async function measure(context: BenchContext): Promise<Findings> {
  const orders = sized(ORDERS_PER_SECOND * SECONDS, context, ORDERS_PER_SECOND);
  const venue = { sections: SECTIONS, seatsPerSection: SEATS_PER_SECTION, seatsPerBuyer: 4 };
  const sockets = orders + WATCHERS;
  // The first show warms up.
  const house = await openStackHouse(context, { venue, count: context.runs + 1, sockets });
  const meter = new WindowMeter(context.observer, processesOf(house));
  const watch = Array.from({ length: SECTIONS }, (_, section) => section);
  const runs: Run[] = [];
  const rows: number[][] = [];
  for (const [index, show] of house.shows.entries()) {
    context.say(index === 0 ? 'warming up' : `run ${index} of ${context.runs}`);
    await house.driver.call('enter', { show, until: 'admitted', watch, watchers: WATCHERS });
    if (index > 0) await meter.start();
    const { p50, p99, max, failed, failures } = await house.driver.call('sell', {
      seatsPerOrder: 1,
      seatsPerSection: SEATS_PER_SECTION,
      inFlight: IN_FLIGHT,
      price: PRICE,
      perSecond: ORDERS_PER_SECOND,
      firstBuyer: WATCHERS,
      label: `show-${show}`,
    });
    if (index > 0) await meter.stop();
    if (failed > 0)
      throw new BenchError(`settle-latency: ${failed} orders failed: ${JSON.stringify(failures)}.`);
    if (index === 0) continue;
    runs.push({ value: p99, yardstick: null });
    rows.push([p50, p99, max]);
  }
  return {
    unit: 'ms',
    runs,
    reached: spreadOf(runs.map(({ value }) => value)).median <= TARGET_MS,
    remarks: [
      `${orders} orders a run; the payment gateway answers at once, so its delay isn't in these figures.`,
    ],
    tables: [{ title: 'Runs', columns: ['p50 ms', 'p99 ms', 'max ms'], rows }],
    cpu: meter.shares,
    versions: [house.redis.product, house.kafka.product, house.database.product],
  };
}

export const settleLatency: Benchmark = {
  name: 'settle-latency',
  what: "p99 from the click on pay to SOLD on another client's screen, at 200 orders a second",
  against: '',
  target: `≤ ${TARGET_MS} ms beyond the payment gateway's own delay`,
  measure,
};

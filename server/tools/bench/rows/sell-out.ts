import type { Benchmark, BenchContext, Findings, Run } from '../benchmark.ts';
import { ratiosOf, sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import type { SellCall, SellResult } from '../driver/driver-calls.ts';
import { installedVersion } from '../installed-version.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { callsMade, type CallsMade } from '../rigs/calls-made.ts';
import { PRICE } from '../rigs/bench-show.ts';
import { readSold, secondsToInsertAgain } from '../rigs/sold-books.ts';
import { openStackHouse, processesOf, type StackHouse } from '../rigs/stack-house.ts';
import { spreadOf } from '../statistics.ts';

const SEATS_PER_ORDER = 4;
const SEATS_PER_SECTION = 1_000;
const SECTIONS = 20;
/** Buyers at it at a time. */
const IN_FLIGHT = 1_000;
const TICKETS_PER_SECOND = 3_000;
const INSERTS_RATIO = 0.2;

async function measure(context: BenchContext): Promise<Findings> {
  const sections = sized(SECTIONS, context, 2);
  const venue = { sections, seatsPerSection: SEATS_PER_SECTION, seatsPerBuyer: SEATS_PER_ORDER };
  const seats = sections * SEATS_PER_SECTION;
  const sockets = seats / SEATS_PER_ORDER;
  // The first show warms up.
  const house = await openStackHouse(context, { venue, count: context.runs + 1, sockets });
  const meter = new WindowMeter(context.observer, processesOf(house));
  const runs: Run[] = [];
  const asked = { scripts: 0, statements: 0, commits: 0 };
  for (const [index, show] of house.shows.entries()) {
    context.say(index === 0 ? 'warming up' : `run ${index} of ${context.runs}`);
    const isMeasured = index > 0;
    const before = await callsMade(house.redis.url, house.database.url);
    await house.driver.call('enter', { show, until: 'admitted', watch: [], watchers: 0 });
    if (isMeasured) await meter.start();
    const sale = await sellOut(house, show, seats);
    if (isMeasured) await meter.stop();
    await checkSold(house, show, seats, sale);
    if (isMeasured) addCalls(asked, before, await callsMade(house.redis.url, house.database.url));
    const insertSeconds = await secondsToInsertAgain(house.database.url, show);
    if (isMeasured) runs.push({ value: seats / sale.seconds, yardstick: seats / insertSeconds });
  }
  return {
    unit: 'tickets/s',
    runs,
    reached:
      spreadOf(runs.map(({ value }) => value)).median > TICKETS_PER_SECOND &&
      spreadOf(ratiosOf(runs)).median >= INSERTS_RATIO,
    remarks: [
      `Every run sold exactly ${seats} seats in ${sockets} orders, counted in the database: 0 oversold, 0 left.`,
    ],
    tables: [
      {
        title: 'What one order of four tickets asks of the servers, coming in included',
        columns: ['of', 'an order'],
        rows: [
          ['Redis: script calls', asked.scripts / (runs.length * sockets)],
          ['database: statements', asked.statements / (runs.length * sockets)],
          ['database: commits of a table engine', asked.commits / (runs.length * sockets)],
        ],
      },
    ],
    cpu: meter.shares,
    versions: [
      house.redis.product,
      house.kafka.product,
      house.database.product,
      installedVersion('kafkajs'),
      installedVersion('@mikro-orm/mysql'),
    ],
  };
}

function addCalls(sum: Record<keyof CallsMade, number>, before: CallsMade, after: CallsMade): void {
  sum.scripts += after.scripts - before.scripts;
  sum.statements += after.statements - before.statements;
  sum.commits += after.commits - before.commits;
}

/** From the first click on a seat to the last ticket. Everybody is in the show before. */
async function sellOut({ driver }: StackHouse, show: number, seats: number): Promise<SellResult> {
  const call: SellCall = {
    seatsPerOrder: SEATS_PER_ORDER,
    seatsPerSection: SEATS_PER_SECTION,
    inFlight: Math.min(IN_FLIGHT, seats / SEATS_PER_ORDER),
    price: PRICE,
    perSecond: null,
    firstBuyer: 0,
    label: `show-${show}`,
  };
  return driver.call('sell', call);
}

/** @throws BenchError unless every seat was sold, and once */
async function checkSold(
  { database }: StackHouse,
  show: number,
  seats: number,
  sale: SellResult,
): Promise<void> {
  const { failed, failures } = sale;
  const sold = await readSold(database.url, show);
  if (failed > 0)
    throw new BenchError(`sell-out: ${failed} buyers got nothing: ${JSON.stringify(failures)}.`);
  if (sold.seats !== seats || sold.orders !== seats / SEATS_PER_ORDER) {
    throw new BenchError(`sell-out: the database has ${sold.seats} seats sold in ${sold.orders} orders.`);
  }
}

export const sellOutBenchmark: Benchmark = {
  name: 'sell-out',
  what: 'tickets a second from the click on a seat to the commit in MySQL, until the last of 20,000 seats',
  against: 'bare 300-row inserts of the same rows into the same tables, nothing else running',
  target: `≥ ${INSERTS_RATIO} of the inserts, > ${TICKETS_PER_SECOND} tickets/s, 0 oversold`,
  measure,
};

import {
  type BenchContext,
  type Benchmark,
  demand,
  eachRunWarm,
  type Findings,
  medianRatio,
  medianValue,
  sized,
} from '../benchmark.ts';
import { PRICE } from '../rigs/bench-show.ts';
import { enter, openStackHouse } from '../rigs/house.ts';
import { callsMade, readSold, secondsToInsertAgain } from '../rigs/server-books.ts';
import { installedVersion } from '../surroundings.ts';

const SEATS_PER_ORDER = 4;
const SEATS_PER_SECTION = 1_000;
const SECTIONS = 20;
/** Buyers at it at a time. */
const IN_FLIGHT = 1_000;
const TICKETS_PER_SECOND = 3_000;
const INSERTS_RATIO = 0.2;

const ORDERS_PER_SECOND = 200;
const SECONDS = 15;
const SETTLE_TARGET_MS = 150;
/** Clients who see every section; the first of them has the clock. */
const WATCHERS = 100;
const HOLDING_AT_ONCE = 200;

async function measureSellOut(context: BenchContext): Promise<Findings> {
  const sections = sized(SECTIONS, context, 2);
  const venue = { sections, seatsPerSection: SEATS_PER_SECTION, seatsPerBuyer: SEATS_PER_ORDER };
  const seats = sections * SEATS_PER_SECTION;
  const orders = seats / SEATS_PER_ORDER;
  const { redis, database, driver, shows, versions } = await openStackHouse(context, {
    venue,
    sockets: orders,
  });
  const rounds = await eachRunWarm(context, async (run) => {
    const show = shows[run] ?? 0;
    const before = await callsMade(redis.url, database.url);
    await enter(driver, { show, until: 'admitted', watch: [], watchers: 0 });
    // From the first click on a seat to the last ticket. Everybody is in the show before.
    const shopping = { seatsAtOnce: SEATS_PER_ORDER, then: 'pay', seatCount: seats } as const;
    const sale = await driver.calls.work({
      errand: { kind: 'shop', ...shopping, price: PRICE, label: `show-${show}` },
      times: 1,
      pace: { inFlight: Math.min(IN_FLIGHT, orders) },
    });
    const sold = await readSold(database.url, show);
    demand(context, sale.outcomes['confirmed'] === orders, `orders ended: ${JSON.stringify(sale.outcomes)}`);
    const isSoldOut = sold.seats === seats && sold.orders === orders;
    demand(context, isSoldOut, `the database has ${sold.seats} seats sold in ${sold.orders} orders`);
    const after = await callsMade(redis.url, database.url);
    const asked = {
      scripts: after.scripts - before.scripts,
      statements: after.statements - before.statements,
      commits: after.commits - before.commits,
    };
    const yardstick = seats / (await secondsToInsertAgain(database.url, show));
    return { value: seats / sale.seconds, yardstick, asked };
  });
  const anOrder = (of: keyof (typeof rounds)[number]['asked']): number =>
    rounds.reduce((sum, { asked }) => sum + asked[of], 0) / (rounds.length * orders);
  return {
    unit: 'tickets/s',
    runs: rounds.map(({ value, yardstick }) => ({ value, yardstick })),
    reached: medianValue(rounds) > TICKETS_PER_SECOND && medianRatio(rounds) >= INSERTS_RATIO,
    remarks: [
      `Every run sold exactly ${seats} seats in ${orders} orders, counted in the database: 0 oversold, 0 left.`,
    ],
    tables: [
      {
        title: 'What one order of four tickets asks of the servers, coming in included',
        columns: ['of', 'an order'],
        rows: [
          ['Redis: script calls', anOrder('scripts')],
          ['database: statements', anOrder('statements')],
          ['database: commits of a table engine', anOrder('commits')],
        ],
      },
    ],
    versions: [...versions, installedVersion('kafkajs'), installedVersion('@mikro-orm/mysql')],
  };
}

export const sellOut: Benchmark = {
  name: 'sell-out',
  what: 'tickets a second from the click on a seat to the commit in MySQL, until the last of 20,000 seats',
  against: 'bare 300-row inserts of the same rows into the same tables, nothing else running',
  target: `≥ ${INSERTS_RATIO} of the inserts, > ${TICKETS_PER_SECOND} tickets/s, 0 oversold`,
  measure: measureSellOut,
};

async function measureSettling(context: BenchContext): Promise<Findings> {
  const orders = sized(ORDERS_PER_SECOND * SECONDS, context, ORDERS_PER_SECOND);
  const venue = { sections: SECTIONS, seatsPerSection: SEATS_PER_SECTION, seatsPerBuyer: 4 };
  const sockets = orders + WATCHERS;
  const { driver, shows, versions } = await openStackHouse(context, { venue, sockets });
  const watch = Array.from({ length: SECTIONS }, (_, section) => section);
  const rounds = await eachRunWarm(context, async (run) => {
    const show = shows[run] ?? 0;
    await enter(driver, { show, until: 'admitted', watch, watchers: WATCHERS });
    const shopping = { seatsAtOnce: 1, price: PRICE, label: `show-${show}` };
    const seatCount = SECTIONS * SEATS_PER_SECTION;
    const keeping = { kind: 'shop', then: 'keep', ...shopping, seatCount } as const;
    const keepingPace = { inFlight: HOLDING_AT_ONCE };
    const kept = await driver.calls.work({ errand: keeping, times: 1, from: WATCHERS, pace: keepingPace });
    demand(context, kept.outcomes['held'] === orders, `holds ended: ${JSON.stringify(kept.outcomes)}`);
    const { outcomes, p50, p99, max } = await driver.calls.work({
      errand: { kind: 'pay', ...shopping, seatsPerSection: SEATS_PER_SECTION },
      times: 1,
      from: WATCHERS,
      pace: { perSecond: ORDERS_PER_SECOND },
    });
    demand(context, outcomes['confirmed'] === orders, `orders ended: ${JSON.stringify(outcomes)}`);
    return { value: p99, yardstick: null, row: [p50, p99, max] };
  });
  return {
    unit: 'ms',
    runs: rounds.map(({ value, yardstick }) => ({ value, yardstick })),
    reached: medianValue(rounds) <= SETTLE_TARGET_MS,
    remarks: [
      `${orders} orders a run; the payment gateway answers at once, so its delay isn't in these figures.`,
    ],
    tables: [{ title: 'Runs', columns: ['p50 ms', 'p99 ms', 'max ms'], rows: rounds.map(({ row }) => row) }],
    versions,
  };
}

export const settleLatency: Benchmark = {
  name: 'settle-latency',
  what: "p99 from the click on pay to SOLD on another client's screen, at 200 orders a second",
  target: `≤ ${SETTLE_TARGET_MS} ms beyond the payment gateway's own delay`,
  measure: measureSettling,
};

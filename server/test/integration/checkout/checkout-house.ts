import type { Hold } from '../../../src/feed/show-feed.ts';
import { MemoryCheckoutKeys } from '../../../src/checkout/memory-checkout-keys.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { expect } from 'vitest';
import type { Show } from '../../../src/catalog/show.ts';
import { BeginCheckout } from '../../../src/checkout/begin-checkout.ts';
import { ListOrders } from '../../../src/checkout/list-orders.ts';
import type { PaymentLog, PaymentRequest } from '../../../src/payment-log/payment-log.ts';
import { PaymentWorker } from '../../../src/checkout/payment-worker.ts';
import { Settlements } from '../../../src/checkout/settlements.ts';
import { SqlOrderStore } from '../../../src/checkout/sql-order-store.ts';
import { SqlPaymentLog } from '../../../src/payment-log/sql-payment-log.ts';
import { type SessionId, sessionId, showId } from '../../../src/platform/ids.ts';
import type { Outside } from '../../../src/platform/outside.ts';
import { nextTurn } from '../../../src/platform/outside.ts';
import { MemorySeatStore } from '../../../src/seating/memory-seat-store.ts';
import { FeedReader } from '../../contracts/seating/feed-reader.ts';
import { MemoryShowFeed } from '../../../src/feed/memory-show-feed.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import type { Notice, SeatChange } from '../../../src/feed/show-feed.ts';
import { records } from '../../contracts/payment-requests.ts';
import { openTestDatabase, type TestDatabase } from '../../contracts/test-database.ts';
import { ScriptedGateway } from './scripted-gateway.ts';

const SEAT_COUNT = 40;
const STEP_MS = 20;
const TURNS_MAX = 2_000;

const arc = { from: [1, 1], to: [9, 1], bend: 0 } as const;
const layout = {
  id: 'hall',
  name: 'Hall',
  city: 'Zürich',
  width: 10,
  height: 10,
  landmarks: [],
  priceLevels: ['One'],
  sections: [
    {
      name: 'Floor',
      tier: 'Floor',
      blocks: [
        { priceLevel: 0, rows: 1, firstRow: 'A', seats: [SEAT_COUNT, SEAT_COUNT], front: arc, back: arc },
      ],
    },
  ],
} as const;

/** A show with 40 seats at 10.00 each; a buyer's hold lives for five minutes. */
export const show: Show = {
  id: showId(7),
  title: 'Test',
  subtitle: '',
  description: '',
  startsAt: 0,
  currency: 'EUR',
  prices: [1_000],
  sale: {
    lobbyAt: 0,
    opensAt: 0,
    closesAt: 0,
    admissionsPerSecond: 1,
    admissionBurst: 1,
    admittedMax: 1,
    admissionLifetimeMs: 1,
    seatsPerBuyer: 6,
    holdLifetimeMs: 300_000,
    extensionsMax: 1,
  },
  layout,
  seatMap: seatMapOf(layout),
  drawSeed: '',
  paused: false,
};

export const rules: SeatRules = {
  show: show.id,
  seatCount: SEAT_COUNT,
  sectionOf: show.seatMap.sectionOf,
  sectionCount: 1,
  seatsPerBuyer: 6,
  seatsPerNetwork: Infinity,
  holdLifetimeMs: 300_000,
  extensionsMax: 1,
};

/**
 * The checkout room with everything around it real (SQLite, seat store, feed), except for the bank and the clock.
 * Parts that a test wants to break are replaced before `open`.
 */
export class CheckoutHouse {
  readonly clock = new ManualClock();
  readonly keys = new MemoryCheckoutKeys(this.clock);
  readonly gateway = new ScriptedGateway(this.clock);
  readonly feed = new MemoryShowFeed({ nextTurn });
  readonly seats: MemorySeatStore;
  readonly notices: Notice[] = [];
  readonly changes: SeatChange[] = [];
  readonly finished: SessionId[] = [];
  readonly reports: string[] = [];
  /** Whether the worker's node has opened the show. */
  knowsShow = true;
  /** Whether other systems can't be told of outcomes. */
  areEventsDown = false;
  readonly report = (message: string): void => {
    this.reports.push(message);
  };
  readonly outside: Outside = {
    clock: this.clock,
    random: seededRandom(1),
    nextTurn,
    report: this.report,
  };
  readonly orders: SqlOrderStore;
  readonly log: SqlPaymentLog;
  readonly test: TestDatabase;
  worker: PaymentWorker;
  relay: Settlements;
  beginCheckout: BeginCheckout;

  constructor(test: TestDatabase) {
    this.test = test;
    const { database } = test;
    const { clock, feed } = this;
    this.seats = new MemorySeatStore({
      feed,
      admissions: { isAdmitted: () => true },
      newEpoch: () => 1,
      clock,
    });
    this.orders = new SqlOrderStore(database);
    this.log = new SqlPaymentLog({
      database,
      records,
      outside: { clock, random: seededRandom(1), nextTurn, report: this.report },
    });
    ({ worker: this.worker, relay: this.relay } = this.newWorker());
    this.beginCheckout = this.checkoutThrough(this.log);
  }

  static async open(): Promise<CheckoutHouse> {
    const house = new CheckoutHouse(await openTestDatabase());
    await house.seats.open(rules, { sold: [], checkouts: [] });
    const reader = new FeedReader(rules.sectionOf);
    reader.onEntries = (entries) => {
      for (const { changes, notice } of entries) {
        house.changes.push(...changes);
        if (notice) house.notices.push(notice);
      }
    };
    await house.feed.follow(show.id, reader);
    return house;
  }

  /** The worker and relay that a restarted process has: nothing but the database is known to them. */
  newWorker(): { worker: PaymentWorker; relay: Settlements } {
    const { gateway, log, orders, seats } = this;
    const outside = { ...this.outside, random: seededRandom(2) };
    const relay = new Settlements({
      outside,
      orders,
      seats,
      gateway,
      seatRules: async (id) => (this.knowsShow && id === show.id ? rules : null),
      finished: async ({ session }) => void this.finished.push(session),
      events: {
        publish: async () => {
          if (this.areEventsDown) throw new Error('nobody listens');
        },
      },
    });
    const priceOf = async ({ seats: asked }: PaymentRequest): Promise<number> => asked.length * 1_000;
    const worker = new PaymentWorker({ outside, log, orders, gateway, settlements: relay, priceOf });
    return { worker, relay };
  }

  checkoutThrough(log: PaymentLog): BeginCheckout {
    const { keys, orders, outside, seats } = this;
    return new BeginCheckout({ outside, seats, keys, log, orders });
  }

  async hold(name: string, seats: readonly number[]): Promise<Hold & { readonly session: SessionId }> {
    const session = sessionId(name);
    const prices = seats.map(() => 1_000);
    const [outcome] = await this.seats.take(rules, [{ kind: 'hold', session, network: null, seats, prices }]);
    if (!outcome.ok) throw new Error(`no hold: ${outcome.code}`);
    return { ...outcome.value, session };
  }

  pay(hold: Hold & { readonly session: SessionId }, idempotencyKey = 'key-12345') {
    const { amount, holdToken, session } = hold;
    return this.beginCheckout.run(show, rules, { session, holdToken, idempotencyKey, amount });
  }

  /** The accepted order of a hold. */
  async accepted(hold: Hold & { readonly session: SessionId }, key?: string): Promise<OrderMessage> {
    const outcome = await this.pay(hold, key);
    if (!outcome.ok) throw new Error(`refused: ${outcome.code} ${outcome.detail}`);
    return outcome.value;
  }

  list(session: SessionId): Promise<readonly OrderMessage[]> {
    const { orders, seats } = this;
    return new ListOrders({ orders, seats, outside: { nextTurn } }).run(session, [show]);
  }

  /** What the session was told of its orders. */
  told(session: SessionId): readonly OrderMessage[] {
    return this.notices.flatMap((one) =>
      one.kind === 'order' && one.session === session ? [one.order] : [],
    );
  }

  /** Lets time and the event loop go on until something is so. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      if (await condition()) return;
      this.clock.advance(STEP_MS);
      await turn();
    }
    expect.fail(`never so; reports: ${this.reports.join('; ')}`);
  }

  /** Waits for an order's outcome as its buyer hears of it. */
  async outcome(session: SessionId, id: string): Promise<OrderMessage> {
    await this.until(() => this.told(session).some((order) => order.id === id));
    const order = this.told(session).find((one) => one.id === id);
    if (!order) throw new Error('told nothing');
    return order;
  }

  async close(): Promise<void> {
    await this.endedWhileTimePasses(this.relay.stop());
    await this.endedWhileTimePasses(this.worker.stop());
    await this.test.remove();
  }

  /** Time goes on while something ends, so that calls without an answer run into their timeouts. */
  async endedWhileTimePasses(ending: Promise<void>): Promise<void> {
    let ended = false;
    void ending.finally(() => (ended = true));
    await this.until(() => ended);
    await ending;
  }
}

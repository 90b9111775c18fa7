import type { ReleasedHold, Hold } from '../../../src/feed/show-feed.ts';
import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { RefusalCode } from '@stampede/shared/protocol/codes.ts';
import { expect, vi } from 'vitest';
import {
  type HoldToken,
  type OrderId,
  orderId,
  type SessionId,
  sessionId,
  showId,
} from '../../../src/platform/ids.ts';
import type { Outcome } from '../../../src/platform/outcome.ts';
import type { Checkout, CheckoutStep, HoldStep } from '../../../src/seating/seat-steps.ts';
import type { SeatFacts, SeatRules, SeatStore, Settlement } from '../../../src/seating/seat-store.ts';
import type { ShowFeed } from '../../../src/feed/show-feed.ts';
import type { ShowId } from '../../../src/platform/ids.ts';
import { FeedReader } from './feed-reader.ts';

/** A seat store to be tried, empty when it is made. */
export interface SeatStoreFixture {
  readonly store: SeatStore;
  /** The feed that the store writes to. */
  readonly feed: ShowFeed;
  /** What the store takes for its own time. */
  readonly clock: ManualClock;
  /** Lets a session shop in a show until the instant `deadline`. */
  admit(show: ShowId, session: SessionId, deadline: number): Promise<void>;
  close(): Promise<void>;
}

export const SEATS_PER_BUYER = 4;
export const SEATS_PER_NETWORK = 6;
export const HOLD_LIFETIME_MS = 300_000;
export const EXTENSIONS_MAX = 2;
/** How long a frozen hold is kept at least. */
export const PAYMENT_TIME_MS = 600_000;

/** For comparing with a hold that has changed meanwhile. */
export const ANY_REVISION = expect.any(Number) as unknown as number;

export const NO_FACTS: SeatFacts = { sold: [], checkouts: [] };

const START = 1_700_000_000_000;
const FOREVER = START + 10 * 365 * 24 * 3_600_000;
const SEATS_PER_SECTION = 4;
const SESSION_ID_LENGTH = 22;
const PICTURE = new Map<number, string>([
  [AVAILABLE, '.'],
  [HELD, 'h'],
  [SOLD, 'S'],
]);

let lastShow = 0;
let lastOrder = 0;
let lastMark = 0;

export function newOrderId(): OrderId {
  lastOrder += 1;
  return orderId(`01890000-0000-7000-8000-${lastOrder.toString(16).padStart(12, '0')}`);
}

/** Minor units; a different price for each seat, so that no wrong seat can make the right sum. */
export const priceOf = (seat: number): number => 1_000 + 2 ** (seat % 20);

export const priceOfAll = (seats: readonly number[]): number =>
  seats.reduce((sum, seat) => sum + priceOf(seat), 0);

/** The value of an outcome that has to be one. */
export function accepted<T>(outcome: Outcome<T> | undefined): T {
  if (!outcome?.ok) expect.fail(`expected a value, got ${JSON.stringify(outcome)}`);
  return outcome.value;
}

export function expectRefused(
  outcome: Outcome<unknown> | undefined,
  code: RefusalCode,
  seats?: readonly number[],
): void {
  expect(outcome).toMatchObject({ ok: false, code, ...(seats && { seats }) });
}

/** How a test gets a show of its own. */
export type OpenStand = (setting?: { seatCount?: number; facts?: SeatFacts }) => Promise<SeatStand>;

/** One show on a store, and the time at which everything happens until the test moves it. */
export class SeatStand {
  readonly rules: SeatRules;
  readonly store: SeatStore;
  readonly #fixture: SeatStoreFixture;
  /** A seat of its own section behind those for sale: `drain` holds and releases it. */
  readonly #markSeat: number;

  private constructor(fixture: SeatStoreFixture, seatCount: number) {
    this.#fixture = fixture;
    this.store = fixture.store;
    this.#markSeat = seatCount;
    lastShow += 1;
    this.rules = {
      show: showId(lastShow),
      seatCount: seatCount + 1,
      sectionOf: Uint16Array.from({ length: seatCount + 1 }, (_, seat) =>
        seat < seatCount ? Math.floor(seat / SEATS_PER_SECTION) : Math.ceil(seatCount / SEATS_PER_SECTION),
      ),
      sectionCount: Math.ceil(seatCount / SEATS_PER_SECTION) + 1,
      seatsPerBuyer: SEATS_PER_BUYER,
      seatsPerNetwork: SEATS_PER_NETWORK,
      holdLifetimeMs: HOLD_LIFETIME_MS,
      extensionsMax: EXTENSIONS_MAX,
    };
  }

  static async open(
    fixture: SeatStoreFixture,
    { seatCount = 8, facts = NO_FACTS }: { seatCount?: number; facts?: SeatFacts } = {},
  ): Promise<SeatStand> {
    fixture.clock.set(START - fixture.clock.now());
    const stand = new SeatStand(fixture, seatCount);
    await stand.store.open(stand.rules, facts);
    return stand;
  }

  get show(): ShowId {
    return this.rules.show;
  }

  get now(): number {
    return this.#fixture.clock.now();
  }

  pass(ms: number): void {
    this.#fixture.clock.advance(ms);
  }

  /** A session that is admitted. */
  async buyer(name: string, deadline = FOREVER): Promise<SessionId> {
    const session = this.stranger(name);
    await this.#fixture.admit(this.show, session, deadline);
    return session;
  }

  /** A session that is not admitted. */
  stranger(name: string): SessionId {
    return sessionId(name.padEnd(SESSION_ID_LENGTH, '-'));
  }

  ask(session: SessionId, ...seats: readonly number[]): HoldStep {
    return { kind: 'hold', session, network: null, seats, prices: seats.map(priceOf) };
  }

  async hold(session: SessionId, ...seats: readonly number[]): Promise<Outcome<Hold>> {
    const outcomes = await this.store.take(this.rules, [this.ask(session, ...seats)]);
    expect(outcomes).toHaveLength(1);
    return outcomes[0];
  }

  /** Holds seats that have to be free to take. */
  async holding(session: SessionId, ...seats: readonly number[]): Promise<Hold> {
    return accepted(await this.hold(session, ...seats));
  }

  async extend(session: SessionId, holdToken: HoldToken): Promise<Outcome<Hold>> {
    return (await this.store.take(this.rules, [{ kind: 'extend', session, holdToken }]))[0];
  }

  async release(
    session: SessionId,
    holdToken: HoldToken,
    ...seats: readonly number[]
  ): Promise<Outcome<Hold | ReleasedHold>> {
    return (await this.store.take(this.rules, [{ kind: 'release', session, holdToken, seats }]))[0];
  }

  holdOf(session: SessionId): Promise<Hold | null> {
    return this.store.holdOf(this.show, session);
  }

  async checkout(
    session: SessionId,
    hold: Hold,
    more: Partial<CheckoutStep> = {},
  ): Promise<Outcome<Checkout>> {
    const step: CheckoutStep = {
      kind: 'checkout',
      session,
      holdToken: hold.holdToken,
      idempotencyKey: 'key-one-',
      amount: hold.amount,
      orderId: newOrderId(),
      keepMs: PAYMENT_TIME_MS,
      ...more,
    };
    return (await this.store.take(this.rules, [step]))[0];
  }

  /** Freezes a hold that has to be ready for it. */
  async paying(session: SessionId, hold: Hold, more: Partial<CheckoutStep> = {}): Promise<Checkout['hold']> {
    return accepted(await this.checkout(session, hold, more)).hold;
  }

  async abandon(session: SessionId, order: OrderId): Promise<void> {
    accepted((await this.store.take(this.rules, [{ kind: 'abandon', session, orderId: order }]))[0]);
  }

  async accept(session: SessionId, order: OrderId): Promise<void> {
    accepted((await this.store.take(this.rules, [{ kind: 'accept', session, orderId: order }]))[0]);
  }

  /** The orders of checkouts that somebody has to look after. */
  async overdue(): Promise<readonly OrderId[]> {
    return (await this.store.overdueCheckouts(this.rules)).map((one) => one.orderId);
  }

  /** What the database decided about the order that pays for a hold. */
  fate(
    kind: Settlement['kind'],
    session: SessionId,
    hold: Pick<Checkout['hold'], 'holdToken' | 'seats' | 'amount' | 'orderId'>,
  ): Settlement {
    const status = ({ sold: 'confirmed', returned: 'declined', voided: 'voided' } as const)[kind];
    const order: OrderMessage = {
      id: hold.orderId,
      show: this.show,
      status,
      seats: hold.seats,
      amount: hold.amount,
      currency: 'EUR',
      createdAt: START,
      reason: kind === 'sold' ? '' : 'because',
      tickets: kind === 'sold' ? hold.seats.map((seat) => `ticket-${seat}`) : [],
    };
    return { kind, session, holdToken: hold.holdToken, order };
  }

  settle(...settlements: readonly Settlement[]): Promise<void> {
    return this.store.settle(this.rules, settlements);
  }

  /** Sets the show up again, where the store has lost it. */
  async reopen(facts: SeatFacts): Promise<void> {
    await this.store.open(this.rules, facts);
  }

  expire(): Promise<number> {
    return this.store.expire(this.rules);
  }

  /** The seats for sale as the feed has them at this moment: `.` available, `h` held, `S` sold. */
  async picture(): Promise<string> {
    const reader = await this.peek();
    return Array.from(reader.statuses.subarray(0, this.#markSeat), (one) => PICTURE.get(one) ?? '?').join('');
  }

  /** A reader that got the base of this moment and nothing else. */
  async peek(): Promise<FeedReader> {
    const reader = new FeedReader(this.rules.sectionOf);
    const stop = await this.#fixture.feed.follow(this.show, reader);
    stop();
    return reader;
  }

  /** A reader that hears of everything from now on. */
  async reader(): Promise<FeedReader> {
    const reader = new FeedReader(this.rules.sectionOf);
    await this.#fixture.feed.follow(this.show, reader);
    return reader;
  }

  /**
   * Waits until readers have heard everything written so far: one mark made now has reached them all. Returns the
   * session that made it.
   */
  async drain(...readers: readonly FeedReader[]): Promise<SessionId> {
    lastMark += 1;
    // Another one each time, as nobody may have a seat again at once.
    const marker = await this.buyer(`marker-${lastMark}`);
    const { holdToken } = await this.holding(marker, this.#markSeat);
    accepted(await this.release(marker, holdToken));
    const end = expect.objectContaining({ kind: 'hold-ended', holdToken }) as unknown;
    await vi.waitFor(
      () => {
        for (const reader of readers) expect(reader.noticesTo(marker)).toContainEqual(end);
      },
      { timeout: 10_000, interval: 2 },
    );
    return marker;
  }
}

import assert from 'node:assert/strict';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import {
  holdToken,
  orderId,
  sessionId,
  type HoldToken,
  type OrderId,
  type SessionId,
  type ShowId,
} from '../platform/ids.ts';
import { type Outcome, refuse } from '../platform/outcome.ts';
import { keysOfShow, showKey } from '../platform/redis-keys.ts';
import { listOf, numberOf, numbersOf, type Packed, textOf, unpack } from '../platform/redis-packing.ts';
import { outcomeOf } from '../platform/redis-refusals.ts';
import type { RedisClient } from '../platform/redis.ts';
import { ShowSteps } from '../platform/show-steps.ts';
import { holdOfTuple } from './redis-feed-entry.ts';
import * as scripts from './redis-seat-scripts.ts';
import {
  type Checkout,
  CHECKOUT_CARE,
  type CheckoutRequest,
  type Hold,
  type HoldRequest,
  type ReleasedHold,
  type ReleaseRequest,
  type SeatFacts,
  type SeatRepairs,
  type SeatRules,
  type SeatStore,
  type Settlement,
  type UnsettledCheckout,
} from './seat-store.ts';

export interface RedisSeatStoreParts {
  readonly redis: RedisClient;
  /** A random number `1…2^31 − 1`, for another epoch than any before. */
  readonly newEpoch: () => number;
  /** The epoch that this node follows a show in, 0 if none. */
  readonly knownEpoch?: (show: ShowId) => number;
  /** Told when Redis has not the whole history of a show that is on sale: it must be opened again from the facts. */
  readonly onHistoryLost: (show: ShowId) => void;
  /** What a test lets the steps take for Redis's time. */
  readonly testClock?: Clock;
}

/** Redis has not the whole history of the show: it lost some or all of it, and waits to be set up anew by `open`. */
export class HistoryLostError extends Error {
  override readonly name = 'HistoryLostError';
  readonly show: ShowId;

  constructor(show: ShowId) {
    super(`Redis has lost the history of show ${show}: it has to be opened again`);
    this.show = show;
  }
}

/** Requests in one script call: more would keep everybody else waiting for milliseconds. */
const REQUESTS_PER_CALL_MAX = 250;
const BUYERS_PER_LOOK = 1_000;
/** What is more waits for the next call, so that others are served in between. */
const EXPIRED_PER_CALL_MAX = 500;
const OVERDUE_MAX = 200;
/** How `lua/hold-book.lua` calls the stage of a checkout whose request the payment log has. */
const ACCEPTED = 2;
/** When to try again where seats are being set up anew. */
const REOPENED_AFTER_MS = 1_000;

/**
 * Seats in Redis. Each method is one Lua script, or a step of one, run by Redis to its end before anything else: the
 * scripts in `lua/` decide, this class translates. What buyers do with the holds of a show in one turn of the event
 * loop travels in one script call, and all of its steps happen or none. Where Redis has lost a show, or a part of it, buyers are refused `busy` and steps of the system
 * throw `HistoryLostError`, so that nothing is decided on missing knowledge [P1].
 */
export class RedisSeatStore implements SeatStore {
  readonly #redis: RedisClient;
  readonly #newEpoch: () => number;
  readonly #knownEpoch: (show: ShowId) => number;
  readonly #onHistoryLost: (show: ShowId) => void;
  readonly #testClock: Clock | undefined;
  /** Answered null where there is no history. */
  readonly #steps: ShowSteps<Packed, unknown>;
  readonly #looks: ShowSteps<SessionId, Hold | null>;

  constructor({ redis, newEpoch, knownEpoch = () => 0, onHistoryLost, testClock }: RedisSeatStoreParts) {
    this.#redis = redis;
    this.#newEpoch = newEpoch;
    this.#knownEpoch = knownEpoch;
    this.#onHistoryLost = onHistoryLost;
    this.#testClock = testClock;
    this.#steps = new ShowSteps(async (show, steps) => {
      const answers = await scripts.holdSteps.run(redis, keysOfShow(show), this.#given(), steps);
      return answers === null ? steps.map(() => null) : listOf(answers);
    });
    this.#looks = new ShowSteps(async (show, sessions) => {
      const records = await scripts.readHolds.run(redis, keysOfShow(show), this.#given(), sessions);
      return records.map((record) => (record === null ? null : holdOfRecord(unpack(record))));
    });
  }

  isOpen(show: ShowId): Promise<boolean> {
    return scripts.isOpen.run(this.#redis, keysOfShow(show));
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    const bought = new Map<SessionId, number>();
    // In parts, so that nobody who buys waits for the whole of a stadium.
    for (let cursor = '0'; ;) {
      const key = showKey(show, 'bought');
      const [next, fields] = await this.#redis.hscan(key, cursor, 'COUNT', BUYERS_PER_LOOK);
      for (let at = 0; at + 1 < fields.length; at += 2) {
        bought.set(sessionId(fields[at] ?? ''), Number(fields[at + 1]));
      }
      if (next === '0') return bought;
      cursor = next;
    }
  }

  async open(rules: SeatRules, facts: SeatFacts): Promise<void> {
    const { show, seatCount, sectionCount, sectionOf, holdLifetimeMs, extensionsMax } = rules;
    await scripts.openSeats.run(
      this.#redis,
      keysOfShow(show),
      this.#given(),
      this.#knownEpoch(show),
      this.#newEpoch(),
      seatCount,
      sectionCount,
      new Uint8Array(sectionOf.buffer, sectionOf.byteOffset, sectionOf.byteLength),
      holdLifetimeMs,
      extensionsMax,
      CHECKOUT_CARE.settledWithinMs,
      facts.sold.map(({ seat, session }) => [seat, session]),
      facts.checkouts.map((one) => [
        one.session,
        one.holdToken,
        one.orderId,
        one.idempotencyKey,
        one.seats,
        one.prices,
        one.amount,
        one.begunAt,
        one.keepUntil,
      ]),
    );
  }

  async hold(rules: SeatRules, requests: readonly HoldRequest[]): Promise<readonly Outcome<Hold>[]> {
    // Who gives a seat back and takes another right after it would be above the limit the other way round.
    this.#steps.flush(rules.show);
    const calls: Promise<readonly Outcome<Hold>[]>[] = [];
    // All calls leave on one connection, so they are decided in this order.
    for (let from = 0; from < requests.length; from += REQUESTS_PER_CALL_MAX) {
      calls.push(this.#holdSome(rules, requests.slice(from, from + REQUESTS_PER_CALL_MAX)));
    }
    return (await Promise.all(calls)).flat();
  }

  async extend(
    { show, holdLifetimeMs }: SeatRules,
    session: SessionId,
    token: HoldToken,
  ): Promise<Outcome<Hold>> {
    const answer = await this.#steps.take(show, ['extend', session, token, holdLifetimeMs]);
    return answer === null ? this.#busy(show) : outcomeOf(answer, holdOfTuple);
  }

  async release(
    { show }: SeatRules,
    { session, holdToken: token, seats }: ReleaseRequest,
  ): Promise<Outcome<Hold | ReleasedHold>> {
    const answer = await this.#steps.take(show, ['release', session, token, seats]);
    if (answer === null) return this.#busy(show);
    return outcomeOf(answer, (value) => {
      const [kind, rest, newest] = listOf(value);
      if (kind === 'hold') return holdOfTuple(rest);
      const [seats, revision] = [numbersOf(rest), numberOf(newest)];
      return { holdToken: token, seats, reason: 'released' as const, revision };
    });
  }

  /** Null as well where Redis has lost the show: then there is no hold to be seen. */
  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    return this.#looks.take(show, session);
  }

  async beginCheckout(
    { show }: SeatRules,
    { session, holdToken: token, idempotencyKey, amount, orderId: order, keepMs }: CheckoutRequest,
  ): Promise<Outcome<Checkout>> {
    const answer = await this.#steps.take(show, [
      'checkout',
      session,
      token,
      idempotencyKey,
      amount,
      order,
      keepMs,
      CHECKOUTS_PER_HOLD_MAX,
      CHECKOUT_CARE.handedOverWithinMs,
    ]);
    if (answer === null) return this.#busy(show);
    return outcomeOf(answer, (value) => {
      const [hold, paying, frozenAt, repeated, accepted] = listOf(value);
      const [id, begunAt] = [orderId(textOf(paying)), numberOf(frozenAt)];
      return {
        hold: { ...holdOfTuple(hold), orderId: id, begunAt, isAccepted: accepted === true },
        begunAt,
        repeated: repeated === true,
      };
    });
  }

  async acceptCheckout({ show }: SeatRules, session: SessionId, order: OrderId): Promise<void> {
    const step = ['accept', session, order, CHECKOUT_CARE.settledWithinMs];
    if ((await this.#steps.take(show, step)) === null) this.#lost(show);
  }

  async overdueCheckouts({ show }: SeatRules): Promise<readonly UnsettledCheckout[]> {
    const { againMs } = CHECKOUT_CARE;
    const keys = keysOfShow(show);
    const found = await scripts.overdueCheckouts.run(this.#redis, keys, this.#given(), againMs, OVERDUE_MAX);
    return found === null ? this.#lost(show) : listOf(found).map(unsettledCheckoutOf);
  }

  async abandonCheckout({ show }: SeatRules, session: SessionId, order: OrderId): Promise<void> {
    const done = await scripts.abandonCheckout.run(
      this.#redis,
      keysOfShow(show),
      this.#given(),
      session,
      order,
    );
    if (done === null) this.#lost(show);
  }

  async settle({ show }: SeatRules, settlements: readonly Settlement[]): Promise<void> {
    const packed = settlements.map(({ kind, session, holdToken: token, order }) => [
      kind,
      session,
      token,
      order.id,
      order.seats,
      JSON.stringify(order),
    ]);
    const done = await scripts.settleOrders.run(this.#redis, keysOfShow(show), this.#given(), packed);
    if (done === null) this.#lost(show);
  }

  async mend({ show }: SeatRules, { sold, unsold, counts }: SeatRepairs): Promise<void> {
    const buyers = Map.groupBy(sold, (one) => one.session);
    const done = await scripts.mendSeats.run(
      this.#redis,
      keysOfShow(show),
      this.#given(),
      Array.from(buyers, ([session, seats]) => [session, seats.map(({ seat }) => seat)]),
      unsold,
      counts.map(({ session, here, right }) => [session, here, right]),
    );
    if (done === null) this.#lost(show);
  }

  /** As many script calls as it takes: what has run out counts as gone, swept or not. */
  async expire({ show }: SeatRules): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await scripts.expireHolds.run(
        this.#redis,
        keysOfShow(show),
        this.#given(),
        EXPIRED_PER_CALL_MAX,
      );
      if (count === null) return this.#lost(show);
      total += count;
      if (count < EXPIRED_PER_CALL_MAX) return total;
    }
  }

  async #holdSome(rules: SeatRules, requests: readonly HoldRequest[]): Promise<readonly Outcome<Hold>[]> {
    const { show, seatCount, seatsPerBuyer, seatsPerNetwork, holdLifetimeMs, extensionsMax } = rules;
    const packed = requests.map(({ session, network, seats, prices }) => {
      assert(seats.length > 0, 'a hold request names seats');
      assert.equal(prices.length, seats.length, 'a hold request prices each seat');
      return [session, network ?? false, seats, prices];
    });
    const answers = await scripts.holdSeats.run(
      this.#redis,
      keysOfShow(show),
      this.#given(),
      seatCount,
      seatsPerBuyer,
      seatsPerNetwork,
      holdLifetimeMs,
      extensionsMax,
      packed,
    );
    if (answers === null) {
      const busy = this.#busy(show);
      return requests.map(() => busy);
    }
    return listOf(answers).map((answer) => outcomeOf(answer, holdOfTuple));
  }

  #given(): scripts.GivenInstant {
    return this.#testClock?.now() ?? false;
  }

  #busy(show: ShowId): ReturnType<typeof refuse> {
    this.#onHistoryLost(show);
    return refuse('busy', { detail: 'the seats are being set up anew', retryAfterMs: REOPENED_AFTER_MS });
  }

  #lost(show: ShowId): never {
    this.#onHistoryLost(show);
    throw new HistoryLostError(show);
  }
}

/** Reads a hold as `pack_hold` in `lua/hold-book.lua` keeps it. */
function holdOfRecord(record: unknown): Hold {
  const [token, expiresAt, extensionsLeft, seats, prices, checkout, , revision = 0] = listOf(record);
  const [order, frozenAmount, , begunAt = 0, stage = ACCEPTED] = checkout === false ? [] : listOf(checkout);
  const amount = numbersOf(prices).reduce((sum, price) => sum + price, 0);
  return {
    holdToken: holdToken(numberOf(token)),
    seats: numbersOf(seats),
    amount: frozenAmount === undefined ? amount : numberOf(frozenAmount),
    expiresAt: numberOf(expiresAt),
    extensionsLeft: numberOf(extensionsLeft),
    orderId: order === undefined ? null : orderId(textOf(order)),
    begunAt: numberOf(begunAt),
    isAccepted: order !== undefined && stage === ACCEPTED,
    revision: numberOf(revision),
  };
}

/** Reads a checkout as `lua/overdue-checkouts.lua` gives it out. */
function unsettledCheckoutOf(record: unknown): UnsettledCheckout {
  const [order, session, token, key, seats, amount, begunAt] = listOf(record);
  return {
    orderId: orderId(textOf(order)),
    session: sessionId(textOf(session)),
    holdToken: holdToken(numberOf(token)),
    idempotencyKey: textOf(key),
    seats: numbersOf(seats),
    amount: numberOf(amount),
    begunAt: numberOf(begunAt),
  };
}

import type { Hold } from './hold.ts';
import assert from 'node:assert/strict';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { holdToken, orderId, sessionId, type SessionId, type ShowId } from '../platform/ids.ts';
import { refuse } from '../platform/outcome.ts';
import { keysOfShow, showKey } from '../platform/redis-keys.ts';
import type { Outside } from '../platform/outside.ts';
import type { RedisClient } from '../platform/redis.ts';
import { ShowSteps } from '../platform/show-steps.ts';
import { FieldReader, holdOfRecord } from '../feed/redis-hold-record.ts';
import { answerOf, packedStep, packedTerms } from './redis-seat-steps.ts';
import * as scripts from './redis-seat-scripts.ts';
import type { AnswersTo, AnswerTo, HoldStep, SeatStep } from './seat-steps.ts';
import {
  CHECKOUT_CARE,
  type SeatFacts,
  type SeatRepairs,
  type SeatRules,
  type SeatStore,
  type Settlement,
  type UnsettledCheckout,
} from './seat-store.ts';

export interface RedisSeatStoreParts {
  readonly redis: RedisClient;
  readonly outside: Pick<Outside, 'nextTurn'>;
  /** A random number `1…2^31 − 1`, for another epoch than any before. */
  readonly newEpoch: () => number;
  /** The epoch that this node follows a show in, 0 if none. */
  readonly knownEpoch?: (show: ShowId) => number;
  /** Told when Redis has not the whole history of a show that is on sale: it must be opened again from the facts. */
  readonly onHistoryLost: (show: ShowId) => void;
  /** What a test lets the steps take for Redis's time. */
  readonly testClock?: Clock;
}

/** A step, and the rules of the moment at which it was asked for. */
interface Asked {
  readonly rules: SeatRules;
  readonly step: SeatStep;
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

const BUYERS_PER_LOOK = 1_000;
/** What is more waits for the next call, so that others are served in between. */
const EXPIRED_PER_CALL_MAX = 500;
const OVERDUE_MAX = 200;
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
  /** One queue for all that buyers do: who gives a seat back and takes another right after it stays within the limit. */
  readonly #steps: ShowSteps<Asked, AnswerTo<SeatStep>>;
  readonly #looks: ShowSteps<SessionId, Hold | null>;

  constructor({
    redis,
    outside,
    newEpoch,
    knownEpoch = () => 0,
    onHistoryLost,
    testClock,
  }: RedisSeatStoreParts) {
    this.#redis = redis;
    this.#newEpoch = newEpoch;
    this.#knownEpoch = knownEpoch;
    this.#onHistoryLost = onHistoryLost;
    this.#testClock = testClock;
    this.#steps = new ShowSteps(outside, (_, asked) => this.#takeAll(asked));
    this.#looks = new ShowSteps(outside, async (show, sessions) => {
      const records = await scripts.readHolds.run(redis, keysOfShow(show), this.#given(), sessions);
      return records.map((record) => (record === null ? null : holdOfRecord(new FieldReader(record))));
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

  async take<const Steps extends readonly SeatStep[]>(
    rules: SeatRules,
    steps: Steps,
  ): Promise<AnswersTo<Steps>> {
    for (const step of steps) if (step.kind === 'hold') assertPriced(step);
    const answers = await Promise.all(steps.map((step) => this.#steps.take(rules.show, { rules, step })));
    // One answer for each step, in their order.
    return answers as unknown as AnswersTo<Steps>;
  }

  /** Null as well where Redis has lost the show: then there is no hold to be seen. */
  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    return this.#looks.take(show, session);
  }

  async overdueCheckouts({ show }: SeatRules): Promise<readonly UnsettledCheckout[]> {
    const { againMs } = CHECKOUT_CARE;
    const keys = keysOfShow(show);
    const found = await scripts.overdueCheckouts.run(this.#redis, keys, this.#given(), againMs, OVERDUE_MAX);
    if (found === null) return this.#lost(show);
    return Array.from({ length: found.length / 2 }, (_, index) =>
      unsettledCheckoutOf(found[2 * index], found[2 * index + 1]),
    );
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

  /** Steps of the same rules go together; all calls leave on one connection, in their order. */
  async #takeAll(asked: readonly Asked[]): Promise<readonly AnswerTo<SeatStep>[]> {
    const calls: Promise<readonly AnswerTo<SeatStep>[]>[] = [];
    for (let from = 0, to: number; from < asked.length; from = to) {
      const rules = asked[from]?.rules;
      for (to = from + 1; to < asked.length && asked[to]?.rules === rules;) to += 1;
      const steps = asked.slice(from, to).map(({ step }) => step);
      if (rules) calls.push(this.#takeAlike(rules, steps));
    }
    return (await Promise.all(calls)).flat();
  }

  async #takeAlike(rules: SeatRules, steps: readonly SeatStep[]): Promise<readonly AnswerTo<SeatStep>[]> {
    const { show } = rules;
    const answers = await scripts.takeSteps.run(
      this.#redis,
      keysOfShow(show),
      this.#given(),
      packedTerms(rules),
      ...steps.flatMap((step) => [Buffer.from(step.session), packedStep(step)]),
    );
    if (answers === null) {
      const busy = this.#busy(show);
      return steps.map(() => busy);
    }
    return steps.map((step, index) => answerOf(step, new FieldReader(answers[index])));
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

function assertPriced({ seats, prices }: HoldStep): void {
  assert(seats.length > 0, 'a hold request names seats');
  assert.equal(prices.length, seats.length, 'a hold request prices each seat');
}

/** Reads a checkout as `lua/hold-book.lua` remembers it. */
function unsettledCheckoutOf(order: unknown, record: unknown): UnsettledCheckout {
  const fields = new FieldReader(record);
  const [token, amount, begunAt] = [fields.number(), fields.number(), fields.number()];
  return {
    orderId: orderId(new FieldReader(order).rest()),
    session: sessionId(fields.text()),
    holdToken: holdToken(token),
    idempotencyKey: fields.text(),
    seats: fields.seats(),
    amount,
    begunAt,
  };
}

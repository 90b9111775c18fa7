import type { Clock } from '@stampede/shared/platform/clock.ts';
import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import { holdOfRecord } from '../feed/redis-feed-entry.ts';
import type { Hold } from '../feed/show-feed.ts';
import { gatherByShow } from '../platform/gathered-calls.ts';
import { holdToken, orderId, sessionId, type SessionId, type ShowId } from '../platform/ids.ts';
import { defineScript, type LuaScript } from '../platform/lua-script.ts';
import { done, refuse } from '../platform/outcome.ts';
import type { Outside } from '../platform/outside.ts';
import { keysOfShow, showKey } from '../platform/redis-keys.ts';
import { FieldReader, listOf, numberOf, type Packed, refusalNamed } from '../platform/redis-packing.ts';
import type { RedisClient } from '../platform/redis.ts';
import { type AnswersTo, type AnswerTo, assertPriced, type SeatStep } from './seat-steps.ts';
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

/** Redis has not the whole history of the show: it lost some or all of it, and waits to be set up anew by `open`. */
export class HistoryLostError extends Error {
  override readonly name = 'HistoryLostError';

  constructor(show: ShowId) {
    super(`Redis has lost the history of show ${show}: it has to be opened again`);
  }
}

/** A step, and the rules of the moment at which it was asked for. */
interface Asked {
  readonly rules: SeatRules;
  readonly step: SeatStep;
}

/** The time of a step: `false` for Redis's own, or an instant that a test has chosen. */
type GivenInstant = number | false;

const BUYERS_PER_LOOK = 1_000;
/** What is more waits for the next call, so that others are served in between. */
const EXPIRED_PER_CALL_MAX = 500;
const OVERDUE_MAX = 200;
/** When to try again where seats are being set up anew. */
const REOPENED_AFTER_MS = 1_000;

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

/** A script that answers nil where Redis has no history of the show. */
function onBook<Args extends readonly (Packed | Uint8Array)[], Reply>(
  name: string,
  read: (raw: unknown) => Reply,
): LuaScript<readonly [given: GivenInstant, ...Args], Reply | null> {
  return defineScript(lua(name), (raw) => (raw === null ? null : read(raw)));
}

type History = [knownEpoch: number, random: number, seatCount: number, sectionCount: number];
type Terms = [holdLifetimeMs: number, extensionsMax: number, settledWithinMs: number];
const openSeats = onBook<[...History, ...Terms, sold: Packed, checkouts: Packed], number>(
  'open-seats',
  numberOf,
);
type Replies = readonly unknown[];
const takeSteps = onBook<[terms: Uint8Array, ...sessionsAndSteps: Uint8Array[]], Replies>(
  'take-steps',
  listOf,
);
const overdueCheckouts = onBook<[againMs: number, most: number], Replies>('overdue-checkouts', listOf);
const settleOrders = onBook<[settlements: Packed], number>('settle-orders', numberOf);
const mendSeats = onBook<[sold: Packed, unsold: Packed, counts: Packed], number>('mend-seats', numberOf);
const expireHolds = onBook<[most: number], number>('expire-holds', numberOf);
const readHolds = defineScript<[given: GivenInstant, sessions: Packed], Replies>(lua('read-holds'), listOf);
const isOpen = defineScript<[], boolean>(lua('is-open'), (raw) => numberOf(raw) === 1);

/**
 * Seats in Redis. Each method is one Lua script, or a step of one, run by Redis to its end before anything else: the
 * scripts in `lua/` decide, this class translates. What buyers do with the holds of a show in one turn of the event
 * loop travels in one script call, and all of its steps happen or none. Where Redis has lost a show, or a part of it,
 * buyers are refused `busy` and steps of the system throw `HistoryLostError`, so that nothing is decided on missing
 * knowledge [P1].
 */
export class RedisSeatStore implements SeatStore {
  readonly #parts: RedisSeatStoreParts;
  /** One queue for all that buyers do: who gives a seat back and takes another right after it stays within the limit. */
  readonly #take: (show: ShowId, asked: Asked) => Promise<AnswerTo<SeatStep>>;
  readonly #look: (show: ShowId, session: SessionId) => Promise<Hold | null>;

  constructor(parts: RedisSeatStoreParts) {
    this.#parts = parts;
    this.#take = gatherByShow(parts.outside, (show, asked) => this.#takeAll(show, asked));
    this.#look = gatherByShow(parts.outside, async (show, sessions) => {
      const records = await readHolds.run(parts.redis, keysOfShow(show), this.#given(), sessions);
      return records.map((record) => (record === null ? null : holdOfRecord(new FieldReader(record))));
    });
  }

  isOpen(show: ShowId): Promise<boolean> {
    return isOpen.run(this.#parts.redis, keysOfShow(show));
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    const bought = new Map<SessionId, number>();
    const key = showKey(show, 'bought');
    // In parts, so that nobody who buys waits for the whole of a stadium.
    for (let cursor = '0'; ;) {
      const [next, fields] = await this.#parts.redis.hscan(key, cursor, 'COUNT', BUYERS_PER_LOOK);
      for (let at = 0; at + 1 < fields.length; at += 2) {
        bought.set(sessionId(fields[at] ?? ''), Number(fields[at + 1]));
      }
      if (next === '0') return bought;
      cursor = next;
    }
  }

  async open(rules: SeatRules, facts: SeatFacts): Promise<void> {
    const { show, seatCount, sectionCount, holdLifetimeMs, extensionsMax } = rules;
    const { knownEpoch, newEpoch } = this.#parts;
    await this.#run(
      openSeats,
      show,
      knownEpoch?.(show) ?? 0,
      newEpoch(),
      seatCount,
      sectionCount,
      holdLifetimeMs,
      extensionsMax,
      CHECKOUT_CARE.settledWithinMs,
      facts.sold.map(({ seat, session }) => [seat, session]),
      facts.checkouts.map((one) => {
        const { session, holdToken: token, orderId: id, idempotencyKey: key, seats, prices, amount } = one;
        return [session, token, id, key, seats, prices, amount, one.begunAt, one.keepUntil];
      }),
    );
  }

  async take<const Steps extends readonly SeatStep[]>(
    rules: SeatRules,
    steps: Steps,
  ): Promise<AnswersTo<Steps>> {
    for (const step of steps) assertPriced(step);
    const answers = await Promise.all(steps.map((step) => this.#take(rules.show, { rules, step })));
    // One answer for each step, in their order.
    return answers as unknown as AnswersTo<Steps>;
  }

  /** Null as well where Redis has lost the show: then there is no hold to be seen. */
  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    return this.#look(show, session);
  }

  async overdueCheckouts({ show }: SeatRules): Promise<readonly UnsettledCheckout[]> {
    const found = await this.#run(overdueCheckouts, show, CHECKOUT_CARE.againMs, OVERDUE_MAX);
    return Array.from({ length: found.length / 2 }, (_, index) =>
      unsettledCheckoutOf(found[2 * index], found[2 * index + 1]),
    );
  }

  async settle({ show }: SeatRules, settlements: readonly Settlement[]): Promise<void> {
    const packed = settlements.map(({ kind, session, holdToken: token, order }) => {
      const { id, seats } = order;
      return [kind, session, token, id, seats, JSON.stringify(order)];
    });
    await this.#run(settleOrders, show, packed);
  }

  async mend({ show }: SeatRules, { sold, unsold, counts }: SeatRepairs): Promise<void> {
    const buyers = Map.groupBy(sold, (one) => one.session);
    await this.#run(
      mendSeats,
      show,
      Array.from(buyers, ([session, seats]) => [session, seats.map(({ seat }) => seat)]),
      unsold,
      counts.map(({ session, here, right }) => [session, here, right]),
    );
  }

  /** As many script calls as it takes: what has run out counts as gone, swept or not. */
  async expire({ show }: SeatRules): Promise<number> {
    for (let total = 0; ;) {
      const count = await this.#run(expireHolds, show, EXPIRED_PER_CALL_MAX);
      total += count;
      if (count < EXPIRED_PER_CALL_MAX) return total;
    }
  }

  /** Steps of the same rules go together; all calls leave on one connection, in their order. */
  async #takeAll(show: ShowId, asked: readonly Asked[]): Promise<readonly AnswerTo<SeatStep>[]> {
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
    const args = steps.flatMap((step) => [Buffer.from(step.session), packedStep(step)]);
    try {
      const answers = await this.#run(takeSteps, rules.show, packedTerms(rules), ...args);
      return steps.map((step, index) => answerOf(step, new FieldReader(answers[index])));
    } catch (cause) {
      if (!(cause instanceof HistoryLostError)) throw cause;
      const detail = 'the seats are being set up anew';
      return steps.map(() => refuse('busy', { detail, retryAfterMs: REOPENED_AFTER_MS }));
    }
  }

  /** Runs a script on a show's book. */
  async #run<Args extends readonly (Packed | Uint8Array)[], Reply>(
    script: LuaScript<readonly [GivenInstant, ...Args], Reply | null>,
    show: ShowId,
    ...args: Args
  ): Promise<Reply> {
    const reply = await script.run(this.#parts.redis, keysOfShow(show), this.#given(), ...args);
    if (reply !== null) return reply;
    this.#parts.onHistoryLost(show);
    throw new HistoryLostError(show);
  }

  #given(): GivenInstant {
    return this.#parts.testClock?.now() ?? false;
  }
}

// What `lua/take-steps.lua` is told and answers, in fixed fields: Redis builds no table to read or write them.

/** No seat of any show; what fits 32 bits and is refused like any seat that isn't there. */
const SEAT_MAX = 2 ** 31 - 1;
const SEAT_BYTES = 4;
const PRICED_SEAT_BYTES = 12;

/** What all steps of a call go by. */
function packedTerms(rules: SeatRules): Buffer {
  const { seatCount, seatsPerBuyer, seatsPerNetwork, holdLifetimeMs, extensionsMax } = rules;
  const { handedOverWithinMs, settledWithinMs } = CHECKOUT_CARE;
  const ofHolds = numbers(seatCount, seatsPerBuyer, seatsPerNetwork, holdLifetimeMs, extensionsMax);
  return Buffer.concat([ofHolds, numbers(CHECKOUTS_PER_HOLD_MAX, handedOverWithinMs, settledWithinMs)]);
}

function packedStep(step: SeatStep): Buffer {
  switch (step.kind) {
    case 'hold':
      return Buffer.concat([
        Buffer.from('h'),
        text(step.network ?? ''),
        packedSeats(step.seats, step.prices),
      ]);
    case 'extend':
      return Buffer.concat([Buffer.from('e'), numbers(step.holdToken)]);
    case 'release':
      return Buffer.concat([Buffer.from('r'), numbers(step.holdToken), packedSeats(step.seats)]);
    case 'checkout': {
      const terms = numbers(step.holdToken, step.amount, step.keepMs);
      return Buffer.concat([Buffer.from('c'), terms, text(step.idempotencyKey), text(step.orderId)]);
    }
    case 'accept':
      return Buffer.concat([Buffer.from('a'), text(step.orderId)]);
    case 'abandon':
      return Buffer.concat([Buffer.from('b'), text(step.orderId)]);
  }
}

/** 32 bits a seat, and its price behind each. */
function packedSeats(seats: readonly number[], prices?: readonly number[]): Buffer {
  const size = prices ? PRICED_SEAT_BYTES : SEAT_BYTES;
  const bytes = Buffer.alloc(size * seats.length);
  seats.forEach((seat, index) => {
    const behind = bytes.writeInt32LE(Math.max(-1, Math.min(SEAT_MAX, seat)), size * index);
    if (prices) bytes.writeDoubleLE(prices[index] ?? 0, behind);
  });
  return bytes;
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeDoubleLE(value, 8 * index));
  return bytes;
}

/** A text behind its length. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** Reads what came of a step. */
function answerOf(step: SeatStep, fields: FieldReader): AnswerTo<SeatStep> {
  const refused = fields.byte();
  if (refused > 0) {
    const [retryAfterMs, count] = [fields.number(), fields.uint32()];
    // One that no show has may be below 0.
    const seats = Array.from({ length: count }, () => fields.uint32() | 0);
    return refuse(refusalNamed(-refused), { retryAfterMs, seats, detail: fields.rest() });
  }
  if (fields.isAtEnd) return done(null);
  const kind = fields.byte();
  if (kind === 1) return done(holdOfRecord(fields));
  if (kind === 2) {
    if (!('holdToken' in step)) throw new Error(`a step of kind ${step.kind} ended a hold`);
    const revision = fields.number();
    return done({ holdToken: step.holdToken, seats: fields.uint32s(), reason: 'released', revision });
  }
  const [isRepeated, isAccepted, begunAt] = [fields.byte() === 1, fields.byte() === 1, fields.number()];
  const order = orderId(fields.text());
  const hold = { ...holdOfRecord(fields), orderId: order, begunAt, isAccepted };
  return done({ hold, begunAt, repeated: isRepeated });
}

/** Reads a checkout as `lua/hold-book.lua` remembers it. */
function unsettledCheckoutOf(order: unknown, record: unknown): UnsettledCheckout {
  const fields = new FieldReader(record);
  const [token, amount, begunAt] = [fields.number(), fields.number(), fields.number()];
  return {
    orderId: orderId(String(order)),
    session: sessionId(fields.text()),
    holdToken: holdToken(token),
    idempotencyKey: fields.text(),
    seats: fields.uint32s(),
    amount,
    begunAt,
  };
}

import { type SqlEntityManager, UniqueConstraintViolationException } from '@mikro-orm/sql';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { Database } from '../platform/database.ts';
import { databaseTime } from '../platform/database-time.ts';
import { isConflict } from '../platform/database-conflict.ts';
import { type HoldToken, type OrderId, orderId, type SessionId, type ShowId } from '../platform/ids.ts';
import { type Outcome, type Refusal, refuse } from '../platform/outcome.ts';
import type { AdmissionCheck } from '../waiting-room/waiting-room-store.ts';
import { dueCheckouts } from './mysql-checkout-rows.ts';
import { trimFeed } from './mysql-feed-rows.ts';
import { beginHistory, endHistory, hasHistory } from './mysql-seat-history.ts';
import { type Look, lookAtRequests, seatsOfShow } from './mysql-seat-look.ts';
import { boughtByAll, holdsOfSessions, sessionsPastDeadline } from './mysql-seat-rows.ts';
import { SeatStep, type StepScope, type TellTime } from './mysql-seat-step.ts';
import { holdOf } from './seat-books.ts';
import * as decisions from './seat-decisions.ts';
import type {
  Checkout,
  CheckoutRequest,
  Hold,
  HoldRequest,
  ReleasedHold,
  ReleaseRequest,
  SeatFacts,
  SeatRepairs,
  SeatRules,
  SeatStore,
  Settlement,
  UnsettledCheckout,
} from './seat-store.ts';

export interface MysqlSeatStoreParts {
  readonly database: Database;
  readonly admissions: AdmissionCheck;
  /** A number `1…2^32 − 1` that no earlier history of any show had. */
  readonly newEpoch: () => number;
  /** For pauses: seats go by the database's time. */
  readonly clock: Clock;
  /** What a test lets the steps take for the database's time. */
  readonly testClock?: Clock;
  readonly random: Random;
  /** Told after a step changed a show, so that its feed needn't wait for the next look. */
  readonly onWritten?: (show: ShowId) => void;
}

/** Requests of one transaction: more would hold many rows for long. */
const REQUESTS_PER_STEP_MAX = 100;
const SETTLEMENTS_PER_STEP_MAX = 100;
const EXPIRED_PER_STEP_MAX = 100;
const MENDED_PER_STEP_MAX = 200;
const OVERDUE_PER_STEP_MAX = 100;

/** A step that meets another waits 2–4 ms, then up to twice as long each time: within half a second, it gives up. */
const ATTEMPTS_MAX = 10;
/** What the database decided can't be refused, and nobody clicks and waits for it. */
const SETTLE_ATTEMPTS_MAX = 30;
const PAUSE_MIN_MS = 4;
const PAUSE_MAX_MS = 100;
/** When to try again where rows were in the way all the time. */
const BUSY_RETRY_MS = 200;

/**
 * Seats in MySQL or MariaDB, one locked row a seat: slower than Redis, and there when Redis is not. Every method is
 * one transaction that locks its rows without waiting (see `SeatStep`), decides as the in-process store does, and
 * writes seats, hold and feed together. What can be refused by a look at the rows is refused without any lock.
 */
export class MysqlSeatStore implements SeatStore {
  readonly #parts: MysqlSeatStoreParts;
  readonly #tellTime: TellTime;

  constructor(parts: MysqlSeatStoreParts) {
    this.#parts = parts;
    const { testClock } = parts;
    this.#tellTime = testClock ? async () => testClock.now() : databaseTime;
  }

  async isOpen(show: ShowId): Promise<boolean> {
    return hasHistory(this.#parts.database.entities(), show);
  }

  async open(rules: SeatRules, facts: SeatFacts): Promise<void> {
    const { database, newEpoch } = this.#parts;
    if (await hasHistory(database.entities(), rules.show)) return;
    try {
      await database.transaction(async (entities) =>
        beginHistory(entities, rules, facts, newEpoch(), await this.#tellTime(entities)),
      );
    } catch (cause) {
      // Another node was first, and is done: its row was waited for.
      if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
    }
  }

  /** Ends a show's history: its seats are at home elsewhere from now on, and `open` sets them up anew. */
  async forget(show: ShowId): Promise<void> {
    await this.#parts.database.transaction((entities) => endHistory(entities, show));
  }

  async hold(rules: SeatRules, requests: readonly HoldRequest[]): Promise<readonly Outcome<Hold>[]> {
    const outcomes: Outcome<Hold>[] = [];
    for (let from = 0; from < requests.length; from += REQUESTS_PER_STEP_MAX) {
      outcomes.push(...(await this.#holdSome(rules, requests.slice(from, from + REQUESTS_PER_STEP_MAX))));
    }
    return outcomes;
  }

  async extend(rules: SeatRules, session: SessionId, token: HoldToken): Promise<Outcome<Hold>> {
    return this.#outcome(rules, { token }, ({ books, now }) =>
      decisions.extendHold(books, rules, session, token, now),
    );
  }

  async release(rules: SeatRules, request: ReleaseRequest): Promise<Outcome<Hold | ReleasedHold>> {
    return this.#outcome(rules, { token: request.holdToken }, ({ books, now }) =>
      decisions.releaseSeats(books, request, now),
    );
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    return boughtByAll(this.#parts.database.entities(), show);
  }

  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    const entities = this.#parts.database.entities();
    const [hold] = await holdsOfSessions(entities, show, [session], 'look');
    return hold && hold.expiresAt > (await this.#tellTime(entities)) ? holdOf(hold) : null;
  }

  async beginCheckout(rules: SeatRules, request: CheckoutRequest): Promise<Outcome<Checkout>> {
    const scope = { token: request.holdToken, orders: [request.orderId] };
    return this.#outcome(rules, scope, ({ books, now }) => decisions.beginCheckout(books, request, now));
  }

  async acceptCheckout(rules: SeatRules, session: SessionId, id: OrderId): Promise<void> {
    await this.#again(() =>
      this.#once(rules, { sessions: [session], orders: [id] }, ({ books, now }) =>
        decisions.acceptCheckout(books, session, id, now),
      ),
    );
  }

  async overdueCheckouts(rules: SeatRules): Promise<readonly UnsettledCheckout[]> {
    const entities = this.#parts.database.entities();
    const due = await dueCheckouts(
      entities,
      rules.show,
      await this.#tellTime(entities),
      OVERDUE_PER_STEP_MAX,
    );
    if (due.length === 0) return [];
    const scope = { sessions: due.map((one) => one.session), orders: due.map((one) => one.orderId) };
    return this.#again(() =>
      this.#once(rules, scope, ({ books, now }) =>
        decisions.overdueCheckouts(books, OVERDUE_PER_STEP_MAX, now),
      ),
    );
  }

  async abandonCheckout(rules: SeatRules, session: SessionId, id: OrderId): Promise<void> {
    await this.#again(() =>
      this.#once(rules, { sessions: [session], orders: [id] }, ({ books, now }) =>
        decisions.abandonCheckout(books, session, id, now),
      ),
    );
  }

  async settle(rules: SeatRules, settlements: readonly Settlement[]): Promise<void> {
    for (let from = 0; from < settlements.length; from += SETTLEMENTS_PER_STEP_MAX) {
      const some = settlements.slice(from, from + SETTLEMENTS_PER_STEP_MAX);
      const sessions = some.map((one) => one.session);
      const seats = some.flatMap((one) => (one.kind === 'sold' ? one.order.seats : []));
      const orders = some.map((one) => orderId(one.order.id));
      const scope: StepScope = { sessions, orders, seats, holders: 'anybody' };
      const decide = ({ books, now }: SeatStep): void => {
        for (const settlement of some) decisions.settleOrder(books, settlement, now);
      };
      await this.#again(() => this.#once(rules, scope, decide), SETTLE_ATTEMPTS_MAX);
    }
  }

  /** Counts need no mending here: they are those of the rows. */
  async mend(rules: SeatRules, { sold, unsold }: SeatRepairs): Promise<void> {
    const steps: SeatRepairs[] = [
      ...slices(sold).map((some) => ({ sold: some, unsold: [], counts: [] })),
      ...slices(unsold).map((some) => ({ sold: [], unsold: some, counts: [] })),
    ];
    for (const some of steps) {
      const seats = [...some.sold.map(({ seat }) => seat), ...some.unsold];
      const decide = ({ books, now }: SeatStep): void => decisions.mendSeats(books, some, now);
      await this.#again(() => this.#once(rules, { seats, holders: 'anybody' }, decide), SETTLE_ATTEMPTS_MAX);
    }
  }

  async expire(rules: SeatRules): Promise<number> {
    const entities = this.#parts.database.entities();
    let ended = 0;
    for (;;) {
      const past = await this.#tellTime(entities);
      const sessions = await sessionsPastDeadline(entities, rules.show, past, EXPIRED_PER_STEP_MAX);
      if (sessions.length === 0) break;
      ended += await this.#again(() =>
        this.#once(rules, { sessions }, ({ books, now }) => decisions.expireHolds(books, now)),
      );
    }
    await trimFeed(entities, rules.show);
    return ended;
  }

  /** Looks first, without locks; what may be accepted is decided again on locked rows, in the order asked. */
  async #holdSome(rules: SeatRules, requests: readonly HoldRequest[]): Promise<readonly Outcome<Hold>[]> {
    const { database } = this.#parts;
    const work = async (): Promise<readonly Outcome<Hold>[]> => {
      const entities = database.entities();
      const now = await this.#tellTime(entities);
      const look = await lookAtRequests(entities, rules, requests, this.#isAdmitted(rules.show), now);
      const open = requests.filter((_, index) => look.refusals[index] === null);
      const decided = open.length > 0 ? await this.#holdLocked(rules, open, look) : [];
      const answers = decided.values();
      return look.refusals.map((refusal) => refusal ?? answers.next().value ?? noAnswer());
    };
    return this.#again(work).catch((cause: unknown) => {
      const busy = busyAfter(cause);
      return requests.map(() => busy);
    });
  }

  #holdLocked(
    rules: SeatRules,
    requests: readonly HoldRequest[],
    { tokenBase }: Look,
  ): Promise<readonly Outcome<Hold>[]> {
    const sessions = [...new Set(requests.map((request) => request.session))];
    const seats = requests.flatMap((request) => seatsOfShow(rules, request));
    const isAdmitted = this.#isAdmitted(rules.show);
    const decide = ({ books, now }: SeatStep): readonly Outcome<Hold>[] =>
      requests.map((request) =>
        decisions.holdSeats(books, rules, request, isAdmitted(request.session, now), now),
      );
    return this.#once(rules, { sessions, seats, takers: requests, newHoldsFrom: tokenBase }, decide);
  }

  #isAdmitted(show: ShowId): (session: SessionId, now: number) => boolean {
    return (session, now) => this.#parts.admissions.isAdmitted(show, session, now);
  }

  async #outcome<T>(
    rules: SeatRules,
    scope: StepScope,
    decide: (step: SeatStep) => Outcome<T>,
  ): Promise<Outcome<T>> {
    try {
      return await this.#again(() => this.#once(rules, scope, decide));
    } catch (cause) {
      return busyAfter(cause);
    }
  }

  /** Runs a step until no other one is in its way. */
  async #again<T>(work: () => Promise<T>, attempts = ATTEMPTS_MAX): Promise<T> {
    const { clock, random } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (cause) {
        if (attempt >= attempts || !isInTheWay(cause)) throw cause;
        const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2);
        await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
      }
    }
  }

  async #once<T>(rules: SeatRules, scope: StepScope, decide: (step: SeatStep) => T): Promise<T> {
    const run = async (entities: SqlEntityManager): Promise<{ value: T; wrote: boolean }> => {
      const step = await SeatStep.begin(entities, rules, scope, this.#tellTime);
      const value = decide(step);
      return { value, wrote: await step.write() };
    };
    const { value, wrote } = await this.#parts.database.transaction(run, { attempts: 1 });
    if (wrote) this.#parts.onWritten?.(rules.show);
    return value;
  }
}

/**
 * Another step has a row that this one needs, or both wrote the first hold of one buyer. (Of a hold token or a seat
 * no two are ever written.)
 */
function isInTheWay(cause: unknown): boolean {
  return isConflict(cause) || cause instanceof UniqueConstraintViolationException;
}

function slices<T>(list: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(list.length / MENDED_PER_STEP_MAX);
  return Array.from({ length: count }, (_, index) =>
    list.slice(index * MENDED_PER_STEP_MAX, (index + 1) * MENDED_PER_STEP_MAX),
  );
}

function busyAfter(cause: unknown): Refusal {
  if (!isInTheWay(cause)) throw cause;
  return refuse('busy', { detail: 'others are at the same seats', retryAfterMs: BUSY_RETRY_MS });
}

function noAnswer(): never {
  throw new Error('a request was neither refused nor decided');
}

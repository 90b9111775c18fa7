import type { Hold } from '../feed/show-feed.ts';
import { type SqlEntityManager, UniqueConstraintViolationException } from '@mikro-orm/sql';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { type Database, databaseTime, isConflict } from '../platform/database.ts';
import { orderId, type SessionId, type ShowId } from '../platform/ids.ts';
import { refuse } from '../platform/outcome.ts';
import type { Outside } from '../platform/outside.ts';
import { gatherByShow } from '../platform/gathered-calls.ts';
import type { AdmissionCheck } from '../waiting-room/waiting-room-store.ts';
import { beginBooks, changeBooks, countSeats, findHold, type StepScope } from './mysql-seat-books.ts';
import { liveCheckoutTable, liveHoldTable, liveShowTable } from './mysql-seat-tables.ts';
import { holdOf, type SeatBooks } from './seat-books.ts';
import * as decisions from './seat-decisions.ts';
import type { AnswersTo, AnswerTo, SeatStep } from './seat-steps.ts';
import type {
  SeatFacts,
  SeatRepairs,
  SeatRules,
  SeatStore,
  Settlement,
  UnsettledCheckout,
} from './seat-store.ts';

export interface MysqlSeatStoreParts {
  readonly database: Database;
  readonly outside: Pick<Outside, 'nextTurn'>;
  readonly admissions: AdmissionCheck;
  /** A number `1…2^32 − 1` that no earlier history of any show had. */
  readonly newEpoch: () => number;
  /** What a test lets the steps take for the database's time. */
  readonly testClock?: Clock;
  /** Told after a step changed a show, so that its feed needn't wait for the next look. */
  readonly onWritten?: () => void;
}

/** A step, and the rules of the moment at which it was asked for. */
interface Asked {
  readonly rules: SeatRules;
  readonly step: SeatStep;
}

/** Of one transaction: more would keep everybody else waiting for long. */
const EXPIRED_PER_STEP_MAX = 200;
const MENDED_PER_STEP_MAX = 200;
const OVERDUE_PER_STEP_MAX = 100;

/** Who clicks is told soon that others are in the way; what the database decided can't be refused, and waits longer. */
const CLICK_ATTEMPTS_MAX = 2;
const BUSY_RETRY_MS = 200;

/**
 * Seats in MySQL or MariaDB: slower than Redis, and there when Redis is not. Every method is one transaction that locks
 * the show's row, decides as the in-process store does on the rows it touches, and writes seats, holds and feed
 * together (`changeBooks`). What buyers ask for while one is under way waits for the next one, together.
 */
export class MysqlSeatStore implements SeatStore {
  readonly #parts: MysqlSeatStoreParts;
  readonly #take: (show: ShowId, asked: Asked) => Promise<AnswerTo<SeatStep>>;
  readonly #tellTime: (entities: SqlEntityManager) => Promise<number>;

  constructor(parts: MysqlSeatStoreParts) {
    this.#parts = parts;
    this.#take = gatherByShow(parts.outside, (show, asked) => this.#takeAll(show, asked), 1);
    const { testClock } = parts;
    this.#tellTime = testClock ? async () => testClock.now() : databaseTime;
  }

  async isOpen(show: ShowId): Promise<boolean> {
    return (await this.#parts.database.entities().findOne(liveShowTable, show)) !== null;
  }

  async open(rules: SeatRules, facts: SeatFacts): Promise<void> {
    const { database, newEpoch } = this.#parts;
    if (await this.isOpen(rules.show)) return;
    try {
      await database.transaction(async (entities) =>
        beginBooks(entities, rules, facts, newEpoch(), await this.#tellTime(entities)),
      );
    } catch (cause) {
      // Another node was first, and is done: its row was waited for.
      if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
    }
  }

  async take<const Steps extends readonly SeatStep[]>(
    rules: SeatRules,
    steps: Steps,
  ): Promise<AnswersTo<Steps>> {
    const answers = await Promise.all(steps.map((step) => this.#take(rules.show, { rules, step })));
    // One answer for each step, in their order.
    return answers as unknown as AnswersTo<Steps>;
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    return countSeats(this.#parts.database.entities(), show, 'sold_to');
  }

  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    const entities = this.#parts.database.entities();
    const hold = await findHold(entities, show, session);
    return hold && hold.expiresAt > (await this.#tellTime(entities)) ? holdOf(hold) : null;
  }

  async overdueCheckouts(rules: SeatRules): Promise<readonly UnsettledCheckout[]> {
    const entities = this.#parts.database.entities();
    const dueAt = { $lte: await this.#tellTime(entities) };
    const due = await entities.find(
      liveCheckoutTable,
      { showId: rules.show, dueAt },
      { orderBy: { dueAt: 'asc' }, limit: OVERDUE_PER_STEP_MAX },
    );
    if (due.length === 0) return [];
    const scope = { sessions: due.map((row) => row.sessionId), orders: due.map((row) => row.orderId) };
    return this.#change(rules, scope, (books) => decisions.overdueCheckouts(books, OVERDUE_PER_STEP_MAX));
  }

  async settle(rules: SeatRules, settlements: readonly Settlement[]): Promise<void> {
    const scope = {
      sessions: settlements.map(({ session }) => session),
      seats: settlements.flatMap(({ kind, order }) => (kind === 'sold' ? order.seats : [])),
      orders: settlements.map(({ order }) => orderId(order.id)),
    };
    await this.#change(rules, scope, (books) => {
      for (const settlement of settlements) decisions.settleOrder(books, settlement);
    });
  }

  /** Counts need no mending here: they are those of the rows. */
  async mend(rules: SeatRules, { sold, unsold }: SeatRepairs): Promise<void> {
    const repairs = [
      ...sold.map((one) => ({ seat: one.seat, sold: [one], unsold: [] })),
      ...unsold.map((seat) => ({ seat, sold: [], unsold: [seat] })),
    ];
    for (let from = 0; from < repairs.length; from += MENDED_PER_STEP_MAX) {
      const some = repairs.slice(from, from + MENDED_PER_STEP_MAX);
      const [soldOfSome, unsoldOfSome] = [some.flatMap((one) => one.sold), some.flatMap((one) => one.unsold)];
      await this.#change(rules, { seats: some.map(({ seat }) => seat) }, (books) =>
        decisions.mendSeats(books, { sold: soldOfSome, unsold: unsoldOfSome, counts: [] }),
      );
    }
  }

  async expire(rules: SeatRules): Promise<number> {
    const entities = this.#parts.database.entities();
    for (let ended = 0; ;) {
      const past = await entities.find(
        liveHoldTable,
        { showId: rules.show, expiresAt: { $lte: await this.#tellTime(entities) } },
        { orderBy: { expiresAt: 'asc' }, limit: EXPIRED_PER_STEP_MAX, disableIdentityMap: true },
      );
      if (past.length === 0) return ended;
      const sessions = past.map((row) => row.sessionId);
      ended += await this.#change(rules, { sessions }, decisions.expireHolds);
    }
  }

  async #takeAll(show: ShowId, asked: readonly Asked[]): Promise<readonly AnswerTo<SeatStep>[]> {
    const { admissions } = this.#parts;
    const isAdmitted = admissions.isAdmitted.bind(admissions, show);
    const decide = (books: SeatBooks): readonly AnswerTo<SeatStep>[] =>
      asked.map(({ rules, step }) => decisions.decide(books, rules, step, isAdmitted));
    const [first] = asked;
    if (!first) return [];
    const scope = scopeOf(asked.map(({ step }) => step));
    try {
      return await this.#change(first.rules, scope, decide, CLICK_ATTEMPTS_MAX);
    } catch (cause) {
      if (!isConflict(cause)) throw cause;
      const busy = refuse('busy', { detail: 'others are at the same show', retryAfterMs: BUSY_RETRY_MS });
      return asked.map(() => busy);
    }
  }

  async #change<T>(
    rules: SeatRules,
    scope: StepScope,
    decide: (books: SeatBooks) => T,
    attempts?: number,
  ): Promise<T> {
    const { value, isTold } = await this.#parts.database.transaction(
      (entities) => changeBooks(entities, rules, scope, this.#tellTime, decide),
      attempts === undefined ? {} : { attempts },
    );
    if (isTold) this.#parts.onWritten?.();
    return value;
  }
}

function scopeOf(steps: readonly SeatStep[]): StepScope {
  const takers = steps.filter((step) => step.kind === 'hold');
  return {
    sessions: steps.map(({ session }) => session),
    seats: takers.flatMap(({ seats }) => seats),
    orders: steps.flatMap((step) => ('orderId' in step ? [step.orderId] : [])),
    takers,
  };
}

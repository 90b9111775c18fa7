import type { Hold } from '../feed/show-feed.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { holdToken, type SessionId, type ShowId } from '../platform/ids.ts';
import type { AdmissionCheck } from '../waiting-room/waiting-room-store.ts';
import type { MemoryShowFeed } from '../feed/memory-show-feed.ts';
import { holdOf, SeatBooks } from './seat-books.ts';
import * as decisions from './seat-decisions.ts';
import type { AnswersTo, SeatStep } from './seat-steps.ts';
import type {
  SeatFacts,
  SeatRepairs,
  SeatRules,
  SeatStore,
  Settlement,
  UnsettledCheckout,
} from './seat-store.ts';

export interface MemorySeatStoreParts {
  readonly feed: MemoryShowFeed;
  readonly admissions: AdmissionCheck;
  /** A number `1…2^32 − 1` that no earlier history of any show had. */
  readonly newEpoch: () => number;
  readonly clock: Clock;
}

/** Overdue checkouts given out at once [P7]. */
const OVERDUE_MAX = 200;

/**
 * Seats in this process. A JavaScript function that awaits nothing runs to its end before anything else does: that
 * is the atomic step that a Lua script is in Redis. Holds and places end with the process; what was paid or is
 * being paid for is restored from the database and the payment log by `open`.
 */
export class MemorySeatStore implements SeatStore {
  readonly #shows = new Map<ShowId, SeatBooks>();
  readonly #feed: MemoryShowFeed;
  readonly #admissions: AdmissionCheck;
  readonly #newEpoch: () => number;
  readonly #clock: Clock;

  constructor({ feed, admissions, newEpoch, clock }: MemorySeatStoreParts) {
    this.#feed = feed;
    this.#admissions = admissions;
    this.#newEpoch = newEpoch;
    this.#clock = clock;
  }

  async isOpen(show: ShowId): Promise<boolean> {
    return this.#shows.has(show);
  }

  async open(rules: SeatRules, facts: SeatFacts): Promise<void> {
    const { show, seatCount, sectionOf, sectionCount } = rules;
    if (this.#shows.has(show)) return;
    const now = this.#clock.now();
    // A clock in microseconds outruns the tokens of any earlier process. Tokens of unfinished checkouts are respected on top.
    let fence = facts.checkouts.reduce((highest, one) => Math.max(highest, one.holdToken), now * 1_000);
    const seats = new SeatBooks({
      seatCount,
      nextToken: () => holdToken(++fence),
      emit: (entry) => this.#feed.publish(show, entry),
      now: () => this.#clock.now(),
    });
    seats.restore(rules, facts, now);
    this.#feed.begin(show, { epoch: this.#newEpoch(), statuses: seats.statuses }, sectionOf, sectionCount);
    this.#shows.set(show, seats);
  }

  async take<const Steps extends readonly SeatStep[]>(
    rules: SeatRules,
    steps: Steps,
  ): Promise<AnswersTo<Steps>> {
    const seats = this.#seats(rules.show);
    const now = this.#clock.now();
    const isAdmitted = (session: SessionId): boolean => this.#admissions.isAdmitted(rules.show, session, now);
    // `map` forgets that each answer belongs to the step at its place.
    return steps.map((step) => decisions.decide(seats, rules, step, isAdmitted, now)) as AnswersTo<Steps>;
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    return new Map(this.#seats(show).bought);
  }

  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    const hold = this.#seats(show).ofSession(session);
    return hold && hold.expiresAt > this.#clock.now() ? holdOf(hold) : null;
  }

  async overdueCheckouts(rules: SeatRules): Promise<readonly UnsettledCheckout[]> {
    return decisions.overdueCheckouts(this.#seats(rules.show), OVERDUE_MAX, this.#clock.now());
  }

  async settle(rules: SeatRules, settlements: readonly Settlement[]): Promise<void> {
    const seats = this.#seats(rules.show);
    const now = this.#clock.now();
    for (const settlement of settlements) decisions.settleOrder(seats, settlement, now);
  }

  async mend(rules: SeatRules, repairs: SeatRepairs): Promise<void> {
    decisions.mendSeats(this.#seats(rules.show), repairs, this.#clock.now());
  }

  async expire(rules: SeatRules): Promise<number> {
    return decisions.expireHolds(this.#seats(rules.show), this.#clock.now());
  }

  #seats(show: ShowId): SeatBooks {
    const seats = this.#shows.get(show);
    if (!seats) throw new Error(`show ${show} was never opened in this store`);
    return seats;
  }
}

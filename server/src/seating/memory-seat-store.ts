import type { Hold } from '../feed/show-feed.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { SessionId, ShowId } from '../platform/ids.ts';
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
  readonly #parts: MemorySeatStoreParts;
  readonly #shows = new Map<ShowId, SeatBooks>();

  constructor(parts: MemorySeatStoreParts) {
    this.#parts = parts;
  }

  async isOpen(show: ShowId): Promise<boolean> {
    return this.#shows.has(show);
  }

  async open(rules: SeatRules, facts: SeatFacts): Promise<void> {
    const { show, seatCount, sectionOf, sectionCount } = rules;
    if (this.#shows.has(show)) return;
    const { feed, newEpoch, clock } = this.#parts;
    const seats = new SeatBooks(seatCount, clock.now(), (entry) => feed.publish(show, entry));
    seats.restore(rules, facts);
    feed.begin(show, { epoch: newEpoch(), statuses: seats.statuses }, sectionOf, sectionCount);
    this.#shows.set(show, seats);
  }

  async take<const Steps extends readonly SeatStep[]>(
    rules: SeatRules,
    steps: Steps,
  ): Promise<AnswersTo<Steps>> {
    const seats = this.#seats(rules.show);
    const { admissions } = this.#parts;
    const isAdmitted = admissions.isAdmitted.bind(admissions, rules.show);
    // `map` forgets that each answer belongs to the step at its place.
    return steps.map((step) =>
      decisions.decide(seats, rules, step, isAdmitted),
    ) as unknown as AnswersTo<Steps>;
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    return new Map(this.#seats(show).bought);
  }

  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    const { holds, now } = this.#seats(show);
    const hold = holds.get(session);
    return hold && hold.expiresAt > now ? holdOf(hold) : null;
  }

  async overdueCheckouts({ show }: SeatRules): Promise<readonly UnsettledCheckout[]> {
    return decisions.overdueCheckouts(this.#seats(show), OVERDUE_MAX);
  }

  async settle({ show }: SeatRules, settlements: readonly Settlement[]): Promise<void> {
    const seats = this.#seats(show);
    for (const settlement of settlements) decisions.settleOrder(seats, settlement);
  }

  async mend({ show }: SeatRules, repairs: SeatRepairs): Promise<void> {
    decisions.mendSeats(this.#seats(show), repairs);
  }

  async expire({ show }: SeatRules): Promise<number> {
    return decisions.expireHolds(this.#seats(show));
  }

  /** The books of a show, at this instant. */
  #seats(show: ShowId): SeatBooks {
    const seats = this.#shows.get(show);
    if (!seats) throw new Error(`show ${show} was never opened in this store`);
    seats.now = this.#parts.clock.now();
    return seats;
  }
}

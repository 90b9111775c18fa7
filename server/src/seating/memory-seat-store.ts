import type { Clock } from '@stampede/shared/platform/clock.ts';
import { type HoldToken, holdToken, type OrderId, type SessionId, type ShowId } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';
import type { AdmissionCheck } from '../waiting-room/waiting-room-store.ts';
import type { MemoryShowFeed } from './memory-show-feed.ts';
import { holdOf, SeatBooks } from './seat-books.ts';
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

  async hold(rules: SeatRules, requests: readonly HoldRequest[]): Promise<readonly Outcome<Hold>[]> {
    const seats = this.#seats(rules.show);
    const now = this.#clock.now();
    return requests.map((request) => {
      const isAdmitted = this.#admissions.isAdmitted(rules.show, request.session, now);
      return decisions.holdSeats(seats, rules, request, isAdmitted, now);
    });
  }

  async extend(rules: SeatRules, session: SessionId, token: HoldToken): Promise<Outcome<Hold>> {
    return decisions.extendHold(this.#seats(rules.show), rules, session, token, this.#clock.now());
  }

  async release(rules: SeatRules, request: ReleaseRequest): Promise<Outcome<Hold | ReleasedHold>> {
    return decisions.releaseSeats(this.#seats(rules.show), request, this.#clock.now());
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    return new Map(this.#seats(show).bought);
  }

  async holdOf(show: ShowId, session: SessionId): Promise<Hold | null> {
    const hold = this.#seats(show).ofSession(session);
    return hold && hold.expiresAt > this.#clock.now() ? holdOf(hold) : null;
  }

  async beginCheckout(rules: SeatRules, request: CheckoutRequest): Promise<Outcome<Checkout>> {
    return decisions.beginCheckout(this.#seats(rules.show), request, this.#clock.now());
  }

  async acceptCheckout(rules: SeatRules, session: SessionId, orderId: OrderId): Promise<void> {
    decisions.acceptCheckout(this.#seats(rules.show), session, orderId, this.#clock.now());
  }

  async overdueCheckouts(rules: SeatRules): Promise<readonly UnsettledCheckout[]> {
    return decisions.overdueCheckouts(this.#seats(rules.show), OVERDUE_MAX, this.#clock.now());
  }

  async abandonCheckout(rules: SeatRules, session: SessionId, orderId: OrderId): Promise<void> {
    decisions.abandonCheckout(this.#seats(rules.show), session, orderId, this.#clock.now());
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

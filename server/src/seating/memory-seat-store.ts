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
  SeatRules,
  SeatStore,
  Settlement,
} from './seat-store.ts';

export interface MemorySeatStoreParts {
  readonly feed: MemoryShowFeed;
  readonly admissions: AdmissionCheck;
  /** A number `1…2^32 − 1` that no earlier history of any show had. */
  readonly newEpoch: () => number;
}

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

  constructor({ feed, admissions, newEpoch }: MemorySeatStoreParts) {
    this.#feed = feed;
    this.#admissions = admissions;
    this.#newEpoch = newEpoch;
  }

  async isOpen(show: ShowId): Promise<boolean> {
    return this.#shows.has(show);
  }

  async open(rules: SeatRules, facts: SeatFacts, now: number): Promise<void> {
    const { show, seatCount, sectionOf, sectionCount } = rules;
    if (this.#shows.has(show)) return;
    // A clock in milliseconds outruns the tokens of any earlier process: no show sees a thousand holds a second
    // sustained over its whole on-sale. Tokens of unfinished checkouts are respected on top.
    let fence = facts.checkouts.reduce((highest, one) => Math.max(highest, one.holdToken), now);
    const seats = new SeatBooks({
      seatCount,
      nextToken: () => holdToken(++fence),
      emit: (entry) => this.#feed.publish(show, entry),
    });
    seats.restore(rules, facts, now);
    this.#feed.begin(show, { epoch: this.#newEpoch(), statuses: seats.statuses }, sectionOf, sectionCount);
    this.#shows.set(show, seats);
  }

  async hold(
    rules: SeatRules,
    requests: readonly HoldRequest[],
    now: number,
  ): Promise<readonly Outcome<Hold>[]> {
    const seats = this.#seats(rules.show);
    return requests.map((request) => {
      const isAdmitted = this.#admissions.isAdmitted(rules.show, request.session, now);
      return decisions.holdSeats(seats, rules, request, isAdmitted, now);
    });
  }

  async extend(rules: SeatRules, session: SessionId, token: HoldToken, now: number): Promise<Outcome<Hold>> {
    return decisions.extendHold(this.#seats(rules.show), rules, session, token, now);
  }

  async release(
    rules: SeatRules,
    request: ReleaseRequest,
    now: number,
  ): Promise<Outcome<Hold | ReleasedHold>> {
    return decisions.releaseSeats(this.#seats(rules.show), request, now);
  }

  async boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>> {
    return new Map(this.#seats(show).bought);
  }

  async holdOf(show: ShowId, session: SessionId, now: number): Promise<Hold | null> {
    const hold = this.#seats(show).ofSession(session);
    return hold && hold.expiresAt > now ? holdOf(hold) : null;
  }

  async beginCheckout(rules: SeatRules, request: CheckoutRequest, now: number): Promise<Outcome<Checkout>> {
    return decisions.beginCheckout(this.#seats(rules.show), request, now);
  }

  async abandonCheckout(rules: SeatRules, session: SessionId, orderId: OrderId, now: number): Promise<void> {
    decisions.abandonCheckout(this.#seats(rules.show), session, orderId, now);
  }

  async settle(rules: SeatRules, settlements: readonly Settlement[], now: number): Promise<void> {
    const seats = this.#seats(rules.show);
    for (const settlement of settlements) decisions.settleOrder(seats, settlement, now);
  }

  async expire(rules: SeatRules, now: number): Promise<number> {
    return decisions.expireHolds(this.#seats(rules.show), now);
  }

  #seats(show: ShowId): SeatBooks {
    const seats = this.#shows.get(show);
    if (!seats) throw new Error(`show ${show} was never opened in this store`);
    return seats;
  }
}

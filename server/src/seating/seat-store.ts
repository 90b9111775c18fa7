import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { HoldToken, OrderId, SeatIndex, SessionId, ShowId } from '../platform/ids.ts';
import type { Hold } from '../feed/show-feed.ts';
import type { AnswersTo, SeatStep } from './seat-steps.ts';

/** Extensions of one hold at most [P7]: a store may keep those that are left in a byte. */
export const EXTENSIONS_MAX = 255;

/** What a store must know of a show to decide on its seats. Lifetimes in milliseconds. */
export interface SeatRules {
  readonly show: ShowId;
  readonly seatCount: number;
  /** Section of each seat: the feed counts changes by section. */
  readonly sectionOf: Uint16Array;
  readonly sectionCount: number;
  readonly seatsPerBuyer: number;
  /** What buyers of one network may hold together. */
  readonly seatsPerNetwork: number;
  readonly holdLifetimeMs: number;
  /** At most `EXTENSIONS_MAX`. */
  readonly extensionsMax: number;
}

/** A checkout that has no outcome yet, with all that its payment request is made from. */
export interface UnsettledCheckout {
  readonly orderId: OrderId;
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  readonly idempotencyKey: string;
  readonly seats: readonly SeatIndex[];
  readonly amount: number;
  readonly begunAt: number;
}

/** When somebody has to look after a checkout, in milliseconds. */
export const CHECKOUT_CARE = {
  /** Its request should be in the payment log so soon after it was begun. */
  handedOverWithinMs: 8_000,
  /** If not, it is given out again after so long. */
  againMs: 10_000,
  /** Longer than the hold of an accepted checkout lives: then whoever is to settle it should have. */
  settledWithinMs: 120_000,
} as const;

/** The fate of an order, decided by the database, to be applied to the seats. */
export interface Settlement {
  readonly kind: 'sold' | 'returned' | 'voided';
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  readonly order: OrderMessage;
}

/** What is known from the database and the payment log when a show's seats are set up anew. */
export interface SeatFacts {
  readonly sold: readonly { readonly seat: SeatIndex; readonly session: SessionId }[];
  readonly checkouts: readonly {
    readonly session: SessionId;
    readonly holdToken: HoldToken;
    readonly orderId: OrderId;
    readonly idempotencyKey: string;
    readonly seats: readonly SeatIndex[];
    /** Minor units, one per seat. */
    readonly prices: readonly number[];
    readonly amount: number;
    readonly begunAt: number;
    readonly keepUntil: number;
  }[];
}

/** What the database says of seats, and the store doesn't. */
export interface SeatRepairs {
  /** Somebody's. */
  readonly sold: SeatFacts['sold'];
  /** Nobody's, though they are sold here. */
  readonly unsold: readonly SeatIndex[];
  /** Buyers who have bought `right` seats, not the `here` that this store has counted. */
  readonly counts: readonly { readonly session: SessionId; readonly here: number; readonly right: number }[];
}

/**
 * The live truth about seats. Every method is one atomic step that does everything or nothing, writes what it
 * changed to the show's feed in that step, and fails at once instead of waiting. Seats are `available`, or under
 * exactly one live hold, or sold, or blocked; from `expiresAt` on a hold counts as gone, swept or not [P1, P3].
 *
 * Time is the store's own, read in the step: a node whose clock is wrong harms nobody. Callers give durations, and
 * the instants in answers are what the store made of them.
 */
export interface SeatStore {
  /** Whether the store has a history of the show; where it has none, everything but `open` is refused or fails. */
  isOpen(show: ShowId): Promise<boolean>;

  /**
   * Sets a show up if the store has no history of it; with history, changes nothing. Checkouts stay frozen until
   * their `keepUntil`; every token handed out is above those in `facts`.
   */
  open(rules: SeatRules, facts: SeatFacts): Promise<void>;

  /**
   * Decides what buyers ask for (`seat-steps.ts`), in order, each step for itself and each all-or-nothing. Where a store
   * is one call away, steps of one turn of the event loop travel together, whoever asked for them: either all of them
   * are decided, or none. Steps are decided in the order in which they were asked for.
   */
  take<const Steps extends readonly SeatStep[]>(rules: SeatRules, steps: Steps): Promise<AnswersTo<Steps>>;

  /** How many seats each buyer of a show has bought, as far as this store knows; buyers without any are absent. */
  boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>>;

  /** The session's live hold. */
  holdOf(show: ShowId, session: SessionId): Promise<Hold | null>;

  /**
   * Applies outcomes; applying one twice changes nothing. `sold`: the seats are the buyer's whoever holds them now,
   * and such a hold loses them and ends with its last one (`lost`). `returned`: the hold lives on with the time it
   * had left at checkout. `voided`: the hold ends (`lost`). The checkout is forgotten. A hold that is gone, or pays for
   * another order by now, is left alone; the buyer is told of the order every time [P2].
   */
  settle(rules: SeatRules, settlements: readonly Settlement[]): Promise<void>;

  /**
   * Makes seats what the database says of them. Those that are somebody's are sold, whoever holds them now, as by
   * `settle`; a count that is not `here` any more is left alone.
   */
  mend(rules: SeatRules, repairs: SeatRepairs): Promise<void>;

  /**
   * Some checkouts whose request the log may lack, or whose outcome is long overdue (`CHECKOUT_CARE`), their hold live
   * or gone. Who gets one hands it over; until it is settled, it is given out again and again.
   */
  overdueCheckouts(rules: SeatRules): Promise<readonly UnsettledCheckout[]>;

  /** Ends holds that ran out and returns how many. */
  expire(rules: SeatRules): Promise<number>;
}

import type { HoldEndReason, OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { HoldToken, NetworkTag, OrderId, SeatIndex, SessionId, ShowId } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';

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
  readonly extensionsMax: number;
}

/** A buyer's time-limited claim on seats. A buyer has at most one live hold per show. */
export interface Hold {
  readonly holdToken: HoldToken;
  /** In the order they were taken. */
  readonly seats: readonly SeatIndex[];
  /** What the seats cost together, in minor units. */
  readonly amount: number;
  readonly expiresAt: number;
  readonly extensionsLeft: number;
  /** The order that is paying for the seats: while it does, nothing about the hold can change. */
  readonly orderId: OrderId | null;
  /** When it was frozen for that order; 0 without one. */
  readonly begunAt: number;
  /** Whether the payment log is known to have that order: only then may anybody be told of it [P2]. */
  readonly isAccepted: boolean;
  /** Rises with every change of the hold, and is above what it was before a loss of the store. */
  readonly revision: number;
}

export interface HoldRequest {
  readonly session: SessionId;
  /** Where the session is; null where no limit per network holds. */
  readonly network: NetworkTag | null;
  /** At least one. */
  readonly seats: readonly SeatIndex[];
  /** Minor units, one per seat. */
  readonly prices: readonly number[];
}

export interface ReleaseRequest {
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  /** Empty: all of them. */
  readonly seats: readonly SeatIndex[];
}

export interface CheckoutRequest {
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  readonly idempotencyKey: string;
  /** What the buyer agreed to pay. */
  readonly amount: number;
  /** The id a new order gets. */
  readonly orderId: OrderId;
  /** The hold is kept for so long whatever happens: longer than the payment may take. */
  readonly keepMs: number;
}

export interface Checkout {
  readonly hold: Hold & { readonly orderId: OrderId };
  /** When the hold was frozen, by the store's time: what the payment's deadline is counted from, on every node. */
  readonly begunAt: number;
  /** Whether this key had been used for the same checkout before: the stored order is returned. */
  readonly repeated: boolean;
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

export interface ReleasedHold {
  readonly holdToken: HoldToken;
  readonly seats: readonly SeatIndex[];
  readonly reason: HoldEndReason;
  readonly revision: number;
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
   * Decides a batch of requests in order, each all-or-nothing. Seats are added to the buyer's live hold, which
   * keeps its token and deadline; seats already in it are skipped. Refusals, looked at in this order: `not-admitted`,
   * `seat-unknown`, `in-checkout`, `limit-exceeded` (held and bought together), `seat-taken`, `cooling-down` (they gave it
   * back a moment ago, or their network does so again and again) and `network-limit`: see `seat-notes.ts`.
   */
  hold(rules: SeatRules, requests: readonly HoldRequest[]): Promise<readonly Outcome<Hold>[]>;

  /**
   * Moves the deadline to one lifetime from now. Refusals: `hold-ended` (stale), `hold-not-yours` (a live hold of
   * somebody else), `in-checkout`, `extension-limit`.
   */
  extend(rules: SeatRules, session: SessionId, holdToken: HoldToken): Promise<Outcome<Hold>>;

  /** Gives seats back. The hold lives on with the rest, or ends. Refusals as `extend`, and `seat-unknown`. */
  release(rules: SeatRules, request: ReleaseRequest): Promise<Outcome<Hold | ReleasedHold>>;

  /** How many seats each buyer of a show has bought, as far as this store knows; buyers without any are absent. */
  boughtSeats(show: ShowId): Promise<ReadonlyMap<SessionId, number>>;

  /** The session's live hold. */
  holdOf(show: ShowId, session: SessionId): Promise<Hold | null>;

  /**
   * Freezes a hold for payment and moves its deadline to `keepMs` from now, never sooner. From then on the checkout is
   * remembered until it is settled, whatever becomes of the hold. A key is its session's and remembered while the
   * hold lives, also after a decline: with the same amount it returns the stored order, which nobody may give up from
   * then on. Refusals, looked at in this order: `hold-ended`, `hold-not-yours`, `idempotency-mismatch` (a known key
   * with another amount, or the order of another hold that is not settled yet), `in-checkout`, `limit-exceeded`
   * (`CHECKOUTS_PER_HOLD_MAX` payments were begun), `amount-changed`.
   */
  beginCheckout(rules: SeatRules, request: CheckoutRequest): Promise<Outcome<Checkout>>;

  /** The payment log has the request: the order may be told. Changes nothing where it pays for no live hold. */
  acceptCheckout(rules: SeatRules, session: SessionId, orderId: OrderId): Promise<void>;

  /**
   * Undoes `beginCheckout` when the payment log refused the request: the hold has the time it had left, and the key
   * is forgotten. Does nothing if the order is not paying for a live hold of the session, or if anybody else may have
   * handed its request over: a repeated key, or `overdueCheckouts`.
   */
  abandonCheckout(rules: SeatRules, session: SessionId, orderId: OrderId): Promise<void>;

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

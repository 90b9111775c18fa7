import assert from 'node:assert/strict';
import type { Hold, ReleasedHold } from '../feed/show-feed.ts';
import { seatPrice, type Show } from '../catalog/show.ts';
import type { HoldToken, NetworkTag, OrderId, SeatIndex, SessionId } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';

// What buyers do with seats, as data: sockets, HTTP, tests and recorded sales say it in the same words. Each step names
// its session; a hold is always looked for at the session, so nobody touches another's, and nobody learns whether a
// number is somebody's hold: it is `hold-ended` like any number that is no hold [P6].

/**
 * Adds seats to the session's live hold, which keeps its token and deadline, or begins one; seats already in it are
 * skipped. Refusals, looked at in this order: `not-admitted`, `seat-unknown`, `in-checkout`, `limit-exceeded` (held and
 * bought together), `seat-taken`, `cooling-down` (they gave it back a moment ago, or their network does so again and
 * again) and `network-limit`: see `seat-notes.ts`.
 */
export interface HoldStep {
  readonly kind: 'hold';
  readonly session: SessionId;
  /** Where the session is; null where no limit per network holds. */
  readonly network: NetworkTag | null;
  /** At least one. */
  readonly seats: readonly SeatIndex[];
  /** Minor units, one per seat. */
  readonly prices: readonly number[];
}

/** Moves the deadline to one lifetime from now. Refusals: `hold-ended`, `in-checkout`, `extension-limit`. */
export interface ExtendStep {
  readonly kind: 'extend';
  readonly session: SessionId;
  readonly holdToken: HoldToken;
}

/**
 * Gives seats back. The hold lives on with the rest, or ends. Refusals: `hold-ended`, `in-checkout`, `seat-unknown`.
 */
export interface ReleaseStep {
  readonly kind: 'release';
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  /** Empty: all of them. */
  readonly seats: readonly SeatIndex[];
}

/**
 * Freezes a hold for payment and moves its deadline to `keepMs` from now, never sooner. From then on the checkout is
 * remembered until it is settled, whatever becomes of the hold. A key is its session's and remembered while the
 * hold lives, also after a decline: with the same amount it returns the stored order, which nobody may give up from
 * then on. Refusals, looked at in this order: `hold-ended`, `idempotency-mismatch` (a known key with another amount, or
 * the order of another hold that is not settled yet), `in-checkout`, `limit-exceeded` (`CHECKOUTS_PER_HOLD_MAX`
 * payments were begun), `amount-changed`.
 */
export interface CheckoutStep {
  readonly kind: 'checkout';
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

/** The payment log has the request: the order may be told. Changes nothing where it pays for no live hold. */
export interface AcceptStep {
  readonly kind: 'accept';
  readonly session: SessionId;
  readonly orderId: OrderId;
}

/**
 * Undoes a checkout whose request the payment log refused: the hold has the time it had left, and the key is
 * forgotten. Does nothing if the order is not paying for a live hold of the session, or if anybody else may have
 * handed its request over: a repeated key, or `overdueCheckouts`.
 */
export interface AbandonStep {
  readonly kind: 'abandon';
  readonly session: SessionId;
  readonly orderId: OrderId;
}

export type SeatStep = HoldStep | ExtendStep | ReleaseStep | CheckoutStep | AcceptStep | AbandonStep;

export interface Checkout {
  readonly hold: Hold & { readonly orderId: OrderId };
  /** When the hold was frozen, by the store's time: what the payment's deadline is counted from, on every node. */
  readonly begunAt: number;
  /** Whether this key had been used for the same checkout before: the stored order is returned. */
  readonly repeated: boolean;
}

interface StepValues {
  hold: Hold;
  extend: Hold;
  release: Hold | ReleasedHold;
  checkout: Checkout;
  accept: null;
  abandon: null;
}

/** What a step comes to. A store that can't decide now refuses with `busy`. */
export type AnswerTo<Step extends SeatStep> = Outcome<StepValues[Step['kind']]>;

/** One answer per step, in their order. */
export type AnswersTo<Steps extends readonly SeatStep[]> = {
  readonly [Index in keyof Steps]: AnswerTo<Steps[Index]>;
};

/** The step behind a click on seats, at the show's prices. */
export function holdStep(
  show: Show,
  { session, network }: Pick<HoldStep, 'session' | 'network'>,
  seats: readonly SeatIndex[],
): HoldStep {
  return { kind: 'hold', session, network, seats, prices: seats.map((seat) => seatPrice(show, seat)) };
}

/** Whoever asks for seats says a price for each: what a step lacks is a mistake of ours, not the buyer's. */
export function assertPriced(step: SeatStep): void {
  if (step.kind !== 'hold') return;
  assert(step.seats.length > 0, 'a hold request names seats');
  assert.equal(step.prices.length, step.seats.length, 'a hold request prices each seat');
}

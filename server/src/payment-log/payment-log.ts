import type { HoldToken, OrderId, SeatIndex, SessionId, ShowId } from '../platform/ids.ts';

/** A buyer's accepted wish to pay, complete enough to be settled by a worker that knows nothing else. */
export interface PaymentRequest {
  readonly orderId: OrderId;
  readonly show: ShowId;
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  readonly idempotencyKey: string;
  readonly seats: readonly SeatIndex[];
  readonly amount: number;
  readonly currency: string;
  readonly createdAt: number;
  /** Nothing may be charged after this instant; the hold outlives it. */
  readonly payBy: number;
}

/** A record that was put aside. */
export interface DeadLetter {
  /** Why: `unreadable`, `forged`, `newer` or `failing`. */
  readonly reason: string;
  /** What went wrong, in words. */
  readonly error: string;
  /** In milliseconds. */
  readonly buriedAt: number;
  /** The record as it was found; a request where it can be read. */
  readonly text: string;
}

/** The log surely did not take the requests. Any other failure of `append` leaves their fate unknown. */
export class AppendRefusedError extends Error {
  override readonly name = 'AppendRefusedError';
}

/** Handles records until each is settled; rejecting means: deliver these again later. */
export type PaymentHandler = (requests: readonly PaymentRequest[]) => Promise<void>;

/** Gives a request an end that its handler keeps failing to; called once before it is put aside. */
export type PaymentGiveUp = (request: PaymentRequest) => Promise<void>;

/**
 * The durable, ordered list of accepted payments between gateways and workers. Delivery is at least once: a
 * request counts as consumed only after its handler's promise has been fulfilled, whichever process dies.
 */
export interface PaymentLog {
  /**
   * Resolves when every request is durable; only then may a buyer hear "accepted" [P2]. Appending one twice is
   * harmless: the first stays. Rejects with `AppendRefusedError` if they surely were not taken.
   */
  append(requests: readonly PaymentRequest[]): Promise<void>;

  /**
   * Delivers requests in batches, several batches at once up to a bound, starting with those that were never
   * consumed. What can't be settled is put aside for a person to look at, after `giveUp` where it is known whose
   * payment it is; the others don't wait for it. The returned function stops delivery and resolves when handlers under
   * way have ended.
   */
  consume(handler: PaymentHandler, giveUp?: PaymentGiveUp): Promise<() => Promise<void>>;

  /** What was put aside and not replayed yet, oldest first, for a person to look at. */
  deadLetters(): Promise<readonly DeadLetter[]>;

  /**
   * Hands every dead letter to the workers again, in its old place, and returns how many there were. One that fails
   * again comes back; a payment handed over twice is settled once.
   */
  replay(): Promise<number>;

  /** Requests of a show that are not consumed yet: what an in-process seat store must restore after a restart. */
  pending(show: ShowId): Promise<readonly PaymentRequest[]>;
}

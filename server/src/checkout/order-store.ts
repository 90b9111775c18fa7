import type { OrderMessage, OrderStatus } from '@stampede/shared/protocol/messages.ts';
import type { HoldToken, OrderId, SeatIndex, SessionId, ShowId } from '../platform/ids.ts';
import type { PaymentRequest } from '../payment-log/payment-log.ts';

/** An order that has its outcome; orders that are processing live in the payment log and the seat store. */
export interface Order {
  readonly id: OrderId;
  readonly show: ShowId;
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  readonly idempotencyKey: string;
  readonly status: Exclude<OrderStatus, 'processing'>;
  readonly seats: readonly SeatIndex[];
  readonly amount: number;
  readonly currency: string;
  readonly createdAt: number;
  readonly settledAt: number;
  /** Why it was declined or voided; empty otherwise. */
  readonly reason: string;
  /** The gateway's reference of the payment; empty where none was made or none is known. */
  readonly paymentReference: string;
  /** One per seat in the order of `seats` when confirmed, else empty. */
  readonly tickets: readonly string[];
}

/** A final order as buyers see it: nothing of its session, hold or payment reference travels [P6]. */
export function orderMessage(order: Order): OrderMessage {
  const { id, show, status, seats, amount, currency, createdAt, reason, tickets } = order;
  return { id, show, status, seats, amount, currency, createdAt, reason, tickets };
}

/** An order that is being paid as buyers see it. */
export function processingMessage(
  order: Pick<PaymentRequest, 'orderId' | 'show' | 'seats' | 'amount' | 'currency' | 'createdAt'>,
): OrderMessage {
  const { orderId: id, show, seats, amount, currency, createdAt } = order;
  return { id, show, status: 'processing', seats, amount, currency, createdAt, reason: '', tickets: [] };
}

/** Why an order ends without tickets though no bank said no; travels to the buyer as the order's reason. */
export const voidReasons = {
  /** Another order owns one of the seats: the database's word, whatever any faster store believed [P1]. */
  seatSold: 'seat-sold',
  /** The idempotency key belongs to another order of the session. */
  keyReused: 'key-reused',
  /** The payment gateway gave no answer in time, however often it was asked. */
  paymentTimeout: 'payment-timeout',
  /** The payment deadline had passed before anything was charged. */
  paymentDeadline: 'payment-deadline',
  /** The seats cost another sum than the buyer agreed to. */
  amountChanged: 'amount-changed',
  /** It could not be settled, however often it was tried. */
  paymentFailed: 'payment-failed',
} as const;

/** Seats `from ≤ seat < to`. */
export interface SeatRange {
  readonly from: SeatIndex;
  readonly to: SeatIndex;
}

export interface SoldSeat {
  readonly seat: SeatIndex;
  readonly session: SessionId;
}

/** What the worker found out at the payment gateway, to be made final. */
export interface Verdict {
  readonly request: PaymentRequest;
  readonly status: 'confirmed' | 'declined' | 'voided';
  readonly reason: string;
  readonly paymentReference: string;
  readonly tickets: readonly string[];
}

/**
 * An order whose effects outside the database have not been seen to happen yet: its seats in the seat store, and
 * for a voided one the void at the payment gateway.
 */
export interface OutboxRecord {
  readonly id: number;
  readonly order: Order;
}

/**
 * The database of orders: the final arbiter [P1]. One row per sold `(show, seat)`, kept unique by the database
 * itself, decides who owns a seat, whatever any faster store believes.
 */
export interface OrderStore {
  /**
   * Makes verdicts final in one transaction: order, payment, one row per sold seat and an outbox record each. An
   * order that is final already is left as it is. Where seats clash with rows of another order, verdicts are
   * written one transaction each, and a loser becomes `voided` with reason `seat-sold`; so does, with reason
   * `key-reused` and its own id as key, one whose idempotency key another order of the session has. Returns the
   * final orders with their newest outbox records, in the order asked; the caller voids the payment of each
   * voided one.
   */
  settle(verdicts: readonly Verdict[], now: number): Promise<readonly OutboxRecord[]>;

  /** Those of the orders that are final. */
  byIds(ids: readonly OrderId[]): Promise<readonly Order[]>;

  /**
   * The orders of each of some sessions, newest first, at most `limit` each. Asked for many at once, because
   * buyers come back in crowds.
   */
  ofSessions(
    sessions: readonly SessionId[],
    limit: number,
  ): Promise<ReadonlyMap<SessionId, readonly Order[]>>;

  /** Sold seats of a show and who has them: every one, or those of a range. */
  soldSeats(show: ShowId, range?: SeatRange): Promise<readonly SoldSeat[]>;

  /** How many seats of each show are sold; shows without any are absent. */
  soldCounts(): Promise<ReadonlyMap<ShowId, number>>;

  /** Outbox records with ids above `after` that were not marked applied, oldest first. */
  pendingOutbox(limit: number, after: number): Promise<readonly OutboxRecord[]>;

  markApplied(ids: readonly number[], now: number): Promise<void>;
}

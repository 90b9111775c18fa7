import type { OrderId } from '../platform/ids.ts';

/** Payment gateways speak Stripe's words: authorize, capture, void, refund. */
export type Authorization =
  | { readonly kind: 'authorized'; readonly reference: string }
  /** The buyer's bank said no, with a reason to tell them. */
  | { readonly kind: 'declined'; readonly reason: string };

export interface Charge {
  /** The idempotency key at the gateway: the same order is never charged twice, however often it is asked. */
  readonly orderId: OrderId;
  readonly amount: number;
  readonly currency: string;
}

/** The order's payment was voided: nothing can be authorized or captured for it any more, and nothing was. */
export class PaymentVoidedError extends Error {
  override readonly name = 'PaymentVoidedError';
}

/**
 * A payment service. Every method may be repeated with the same order and then has the same result. A timeout or
 * an unreachable service rejects: the outcome is unknown and the call is to be repeated. After a void, `authorize` and
 * `capture` reject with `PaymentVoidedError`, whichever process asks: a call that was on its way while another gave the
 * order up must not charge it [P2].
 */
export interface PaymentGateway {
  authorize(charge: Charge): Promise<Authorization>;
  capture(charge: Charge, reference: string): Promise<void>;
  /**
   * Gives up an authorization, captured or not; nothing stays charged. An empty reference means that it isn't
   * known whether there is one: the gateway looks for it by the order. Where there is nothing, nothing happens.
   */
  void(charge: Charge, reference: string): Promise<void>;
}

import type { Show } from '../catalog/show.ts';
import type { UnsettledCheckout } from '../seating/seat-store.ts';
import type { PaymentRequest } from './payment-log.ts';
import { PAYMENT_DEADLINE_MS } from './payment-terms.ts';

/** What the payment log is given; the same whoever hands it over, because its instants are counted from the store's. */
export function paymentRequestOf(
  show: Pick<Show, 'id' | 'currency'>,
  { orderId, session, holdToken, idempotencyKey, seats, amount, begunAt }: UnsettledCheckout,
): PaymentRequest {
  return {
    ...{ orderId, show: show.id, session, holdToken, idempotencyKey, seats, amount, currency: show.currency },
    ...{ createdAt: begunAt, payBy: begunAt + PAYMENT_DEADLINE_MS },
  };
}

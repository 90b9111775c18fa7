import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { PaymentRequest } from '../payment-log/payment-log.ts';
import type { Order } from './order-store.ts';

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

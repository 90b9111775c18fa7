import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { OrderId, SeatIndex, ShowId } from '../platform/ids.ts';
import type { Order } from './order-store.ts';

/** A final order as buyers see it: nothing of its session, hold or payment reference travels [P6]. */
export function orderMessage(order: Order): OrderMessage {
  const { id, show, status, seats, amount, currency, createdAt, reason, tickets } = order;
  return { id, show, status, seats, amount, currency, createdAt, reason, tickets };
}

/** What is known of an order that is being paid. */
export interface ProcessingOrder {
  readonly orderId: OrderId;
  readonly show: ShowId;
  readonly seats: readonly SeatIndex[];
  readonly amount: number;
  readonly currency: string;
}

/** An order that is being paid as buyers see it. */
export function processingMessage(
  { orderId, show, seats, amount, currency }: ProcessingOrder,
  createdAt: number,
): OrderMessage {
  return {
    id: orderId,
    show,
    status: 'processing',
    seats,
    amount,
    currency,
    createdAt,
    reason: '',
    tickets: [],
  };
}

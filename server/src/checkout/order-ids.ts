import { v7 } from 'uuid';
import { type OrderId, orderId } from '../platform/ids.ts';

/** Makes the id of a new order at an instant in milliseconds. */
export type NewOrderId = (now: number) => OrderId;

/** UUID version 7 (RFC 9562): unique everywhere, and carries the instant the order was made. */
export const newUuidOrderId: NewOrderId = (now) => orderId(v7({ msecs: now }));

const TIME_HEX_DIGITS = 12;

/** The instant in an order's id, in milliseconds by the clock of whoever made it: good for putting them in order. */
export function orderCreatedAt(id: OrderId): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, TIME_HEX_DIGITS), 16);
}

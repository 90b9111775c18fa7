import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';
import type { HoldToken, OrderId, SessionId, ShowId } from '../platform/ids.ts';
import type { Order } from './order-store.ts';

/** An order with its outcome. `seats` is a JSON array in the order they were taken. */
export const orderTable = defineEntity({
  name: 'Order',
  tableName: 'orders',
  properties: {
    id: p.string().$type<OrderId>().primary(),
    showId: p.integer().$type<ShowId>(),
    sessionId: p.string().$type<SessionId>(),
    holdToken: p.bigint('number').$type<HoldToken>(),
    idempotencyKey: p.string(),
    status: p.string().$type<Order['status']>(),
    seats: p.string(),
    amount: p.bigint('number'),
    currency: p.string(),
    createdAt: p.bigint('number'),
    settledAt: p.bigint('number'),
    reason: p.string(),
  },
});

/**
 * What is to stand at the payment gateway for an order: a voided one stays in the outbox until the gateway has
 * voided it too.
 */
export const paymentTable = defineEntity({
  name: 'Payment',
  tableName: 'payments',
  properties: {
    orderId: p.string().$type<OrderId>().primary(),
    status: p.string(),
    reference: p.string(),
    amount: p.bigint('number'),
    currency: p.string(),
    decidedAt: p.bigint('number'),
  },
});

/** One row per sold seat; its primary key is what keeps a seat from being sold twice [P1]. */
export const soldSeatTable = defineEntity({
  name: 'SoldSeat',
  tableName: 'sold_seats',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    seat: p.integer().primary(),
    orderId: p.string().$type<OrderId>(),
    ticketCode: p.string(),
  },
});

/** An order whose effect on live seats and gateway is still to be seen; `appliedAt` is null until then. */
export const outboxTable = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    orderId: p.string().$type<OrderId>(),
    createdAt: p.bigint('number'),
    appliedAt: p.bigint('number').nullable(),
  },
});

export type OrderRow = InferEntity<typeof orderTable>;

export const orderTables = [orderTable, paymentTable, soldSeatTable, outboxTable] as const;

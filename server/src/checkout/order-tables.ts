import { defineEntity, p } from '@mikro-orm/sql';

/** An order with its outcome. `seats` is a JSON array in the order they were taken. */
export const orderTable = defineEntity({
  name: 'Order',
  tableName: 'orders',
  properties: {
    id: p.string().primary(),
    showId: p.integer(),
    sessionId: p.string(),
    holdToken: p.bigint('number'),
    idempotencyKey: p.string(),
    status: p.string(),
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
    orderId: p.string().primary(),
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
    showId: p.integer().primary(),
    seat: p.integer().primary(),
    orderId: p.string(),
    ticketCode: p.string(),
  },
});

/** An order whose effect on live seats and gateway is still to be seen; `appliedAt` is null until then. */
export const outboxTable = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    orderId: p.string(),
    createdAt: p.bigint('number'),
    appliedAt: p.bigint('number').nullable(),
  },
});

export const orderTables = [orderTable, paymentTable, soldSeatTable, outboxTable] as const;

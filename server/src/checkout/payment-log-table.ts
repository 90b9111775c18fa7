import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

/** The embedded payment log; `request` is the whole payment request as JSON. */
export const paymentLogTable = defineEntity({
  name: 'PaymentLogRecord',
  tableName: 'payment_log',
  properties: {
    logOffset: p.bigint('number').primary().autoincrement(),
    orderId: p.string(),
    showId: p.integer(),
    request: p.string(),
    appendedAt: p.bigint('number'),
    consumedAt: p.bigint('number').nullable(),
  },
});

export type PaymentLogRow = InferEntity<typeof paymentLogTable>;

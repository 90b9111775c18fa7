import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

/** The embedded payment log; `request` is the whole payment request as JSON, in the form that `form` names. */
export const paymentLogTable = defineEntity({
  name: 'PaymentLogRecord',
  tableName: 'payment_log',
  properties: {
    logOffset: p.bigint('number').primary().autoincrement(),
    orderId: p.string(),
    showId: p.integer(),
    request: p.string(),
    form: p.string(),
    mac: p.string(),
    appendedAt: p.bigint('number'),
    consumedAt: p.bigint('number').nullable(),
  },
});

export type PaymentLogRow = InferEntity<typeof paymentLogTable>;

/** Payments that were put aside, by their offset in the log. */
export const deadLetterTable = defineEntity({
  name: 'PaymentDeadLetter',
  tableName: 'payment_dead_letters',
  properties: {
    logOffset: p.bigint('number').primary(),
    reason: p.string(),
    error: p.string(),
    buriedAt: p.bigint('number'),
  },
});

export const paymentLogTables = [paymentLogTable, deadLetterTable] as const;

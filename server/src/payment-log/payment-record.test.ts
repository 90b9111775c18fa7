import { describe, expect, test } from 'vitest';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import { PaymentRecords } from './payment-record.ts';

const REQUEST = {
  orderId: orderId('order'),
  show: showId(1),
  session: sessionId('s'),
  holdToken: holdToken(1),
  idempotencyKey: 'k\0\ud83c',
  seats: [1],
  amount: 1,
  currency: 'EUR',
  createdAt: 0,
  payBy: 60_000,
};
const [old, fresh, other] = ['old', 'fresh', 'other'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];
const records = new PaymentRecords([old]);
const record = records.write(REQUEST);

describe('payment records', () => {
  test('are read as they were written', () => {
    expect(records.read(record)).toEqual({ kind: 'request', request: REQUEST });
  });

  test('[P6] another amount, form or secret is a forgery', () => {
    const changed = { ...record, text: record.text.replace('"amount":1', '"amount":2') };
    const renamed = { ...record, schema: 'payment-request/2' };
    for (const one of [
      changed,
      renamed,
      { ...record, mac: '' },
      new PaymentRecords([other]).write(REQUEST),
    ]) {
      expect(records.read(one).kind).toBe('forged');
    }
  });

  test('[P2] sealed by a secret that was replaced since, they are still believed', () => {
    const ring = new PaymentRecords([fresh, old]);
    expect(ring.read(record).kind).toBe('request');
    expect(records.read(ring.write(REQUEST)).kind).toBe('forged');
  });

  test('of a newer form are known as such, of no form as unreadable', () => {
    expect(records.read(records.seal('whatever', 2)).kind).toBe('newer');
    expect(records.read(records.seal('{', 1)).kind).toBe('unreadable');
    expect(records.read(records.seal(record.text, 0)).kind).toBe('unreadable');
  });
});

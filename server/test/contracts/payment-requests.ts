import { randomUUID } from 'node:crypto';
import type { Verdict } from '../../src/checkout/order-store.ts';
import type { PaymentRequest } from '../../src/payment-log/payment-log.ts';
import { PaymentRecords } from '../../src/payment-log/payment-record.ts';
import { holdToken, type OrderId, orderId, sessionId, showId } from '../../src/platform/ids.ts';

export const NOW = 1_800_000_000_000;

const SECRET = Buffer.from('a secret of tests');
/** Records that every log of a test can read. */
export const records = new PaymentRecords([SECRET]);
/** Those of the next version, which writes another form. */
export const nextRecords = new PaymentRecords([SECRET], 2);

export function newOrderId(): OrderId {
  return orderId(randomUUID());
}

let made = 0;

/** A payment request like no other; `more` says what the test is about. */
export function paymentRequest(more: Partial<PaymentRequest> = {}): PaymentRequest {
  made += 1;
  return {
    orderId: newOrderId(),
    show: showId(7),
    session: sessionId(`session-${String(made)}`),
    holdToken: holdToken(made),
    idempotencyKey: `key-${String(made)}`,
    seats: [made],
    amount: 4_200,
    currency: 'EUR',
    createdAt: NOW,
    payBy: NOW + 60_000,
    ...more,
  };
}

export function confirmed(request: PaymentRequest): Verdict {
  return {
    request,
    status: 'confirmed',
    reason: '',
    paymentReference: `pay-${request.orderId}`,
    tickets: request.seats.map((seat) => `T${request.orderId.replaceAll('-', '')}${String(seat)}`),
  };
}

export function declined(request: PaymentRequest): Verdict {
  return { request, status: 'declined', reason: 'card-declined', paymentReference: '', tickets: [] };
}

export function voided(request: PaymentRequest): Verdict {
  return { request, status: 'voided', reason: 'payment-timeout', paymentReference: 'pay-1', tickets: [] };
}

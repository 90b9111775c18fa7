import { z } from 'zod';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import type { PaymentRequest } from './payment-log.ts';

const whole = z.int().min(0);

const paymentRequest = z.object({
  orderId: z.string().min(1).transform(orderId),
  show: z.int().min(1).transform(showId),
  session: z.string().min(1).transform(sessionId),
  holdToken: whole.transform(holdToken),
  idempotencyKey: z.string().min(1),
  seats: z.array(whole).min(1),
  amount: whole,
  currency: z.string().length(3),
  createdAt: whole,
  payBy: whole,
});

/** A payment request as every payment log stores it. */
export function writePaymentRequest(request: PaymentRequest): string {
  return JSON.stringify(request);
}

/** Reverses `writePaymentRequest`; throws on anything else. */
export function readPaymentRequest(text: string): PaymentRequest {
  return paymentRequest.parse(JSON.parse(text));
}

import { expect, test } from 'vitest';
import { paymentTrouble } from './payment-terms.ts';

test('[P2] a worker is not ready while a payment waits for more than two minutes, and says so', () => {
  expect(paymentTrouble(null, 500_000)).toBeNull();
  expect(paymentTrouble(380_000, 500_000)).toBeNull();
  expect(paymentTrouble(300_000, 500_000)).toBe(
    'payments (one that was accepted has waited for its settling for 200 s)',
  );
});

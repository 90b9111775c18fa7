import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionId } from '../platform/ids.ts';
import { orderIdOf } from './begin-checkout.ts';

const key = fc.string({ minLength: 8, maxLength: 64 });

test('[P2] 6.7 a key of a session has one order id; another key, or another session, another one', () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      const id = orderIdOf(sessionId('ana'), one);
      expect(orderIdOf(sessionId('ana'), one)).toBe(id);
      expect(orderIdOf(sessionId('ben'), one)).not.toBe(id);
      if (other !== one) expect(orderIdOf(sessionId('ana'), other)).not.toBe(id);
    }),
  );
});

test('an order id is a UUID of version 8', () => {
  expect(orderIdOf(sessionId('ana'), 'key-12345')).toMatch(
    /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/,
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newUuidOrderId, orderCreatedAt } from './order-ids.ts';
import { newRandomTicketCode } from './ticket-codes.ts';

describe('order ids', () => {
  it('carry the instant they were made at and are never the same twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (now) => {
        const id = newUuidOrderId(now);
        expect(orderCreatedAt(id)).toBe(now);
        expect(id).toHaveLength(36);
        expect(newUuidOrderId(now)).not.toBe(id);
      }),
    );
  });

  it('sort by the instant they were made at', () => {
    expect(newUuidOrderId(1_000) < newUuidOrderId(1_001)).toBe(true);
  });
});

describe('ticket codes', () => {
  it('are sixteen characters that nobody mistakes for others, all different', () => {
    const codes = Array.from({ length: 2_000 }, () => newRandomTicketCode());
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(new Set(codes).size).toBe(codes.length);
    expect(new Set(codes.join('')).size).toBe(32);
  });
});

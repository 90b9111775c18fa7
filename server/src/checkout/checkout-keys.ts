import type { OrderId } from '../platform/ids.ts';

/**
 * Which hold an idempotency key pays for, until the database knows its order: a key belongs to its session for all
 * shows, and the seats of two shows are decided apart. By the order's id, which is made from session and key.
 */
export interface CheckoutKeys {
  /** Gives the key to `hold` (show and token, in words) unless it has one; resolves with the one that has it. */
  claim(order: OrderId, hold: string): Promise<string>;
  /** Takes back a claim whose checkout was refused: the key is as good as new. */
  giveUp(order: OrderId): Promise<void>;
}

/** Longer than any payment is under way: after that the order has its row, by which keys are known for good. */
export const CLAIM_MS = 600_000;

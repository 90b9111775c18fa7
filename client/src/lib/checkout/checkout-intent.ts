import type { BrowserShelf } from '#lib/browser-shelf.ts';

/** What a buyer agreed to pay for. A new try after a decline is a new intent. */
export interface CheckoutIntent {
  readonly show: number;
  readonly holdToken: number;
  readonly seats: readonly number[];
  readonly amount: number;
  /** The declined order this try follows; null for the first. */
  readonly after: string | null;
}

const STORAGE_KEY = 'stampede:checkout-intent';

function fingerprint({ show, holdToken, seats, amount, after }: CheckoutIntent): string {
  return JSON.stringify([show, holdToken, seats.toSorted((a, b) => a - b), amount, after]);
}

/**
 * The idempotency key of an intent: made once and found again after a reload, so that pressing Pay twice, or
 * pressing it before and after a reload, is one payment [P2]. Another intent gets another key. Without storage a reload
 * may not find the key; the hold's own state still forbids a second payment.
 */
export function keyOfIntent(intent: CheckoutIntent, shelf: BrowserShelf, newKey: () => string): string {
  const wanted = fingerprint(intent);
  const kept = shelf.readJson(STORAGE_KEY);
  if (Array.isArray(kept) && kept[0] === wanted && typeof kept[1] === 'string') return kept[1];
  const key = newKey();
  shelf.keep(STORAGE_KEY, JSON.stringify([wanted, key]));
  return key;
}

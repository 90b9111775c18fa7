/** What a buyer agreed to pay for. A new try after a decline is a new intent. */
export interface CheckoutIntent {
  readonly show: number;
  readonly holdToken: number;
  readonly seats: readonly number[];
  readonly amount: number;
  /** The declined order this try follows; null for the first. */
  readonly after: string | null;
}

/** The part of `Storage` that is needed, so that tests bring their own. */
type KeyStore = Pick<Storage, 'getItem' | 'setItem'>;

const STORAGE_KEY = 'stampede:checkout-intent';

function fingerprint({ show, holdToken, seats, amount, after }: CheckoutIntent): string {
  return JSON.stringify([show, holdToken, seats.toSorted((a, b) => a - b), amount, after]);
}

/**
 * The idempotency key of an intent: made once and found again after a reload, so that pressing Pay twice, or
 * pressing it before and after a reload, is one payment [P2]. Another intent gets another key.
 */
export function keyOfIntent(intent: CheckoutIntent, store: KeyStore, newKey: () => string): string {
  const wanted = fingerprint(intent);
  try {
    const [stored, key] = JSON.parse(store.getItem(STORAGE_KEY) ?? '[]') as [string?, string?];
    if (stored === wanted && key) return key;
  } catch {
    // Storage that is forbidden, or holds something else, is as good as empty.
  }
  const key = newKey();
  try {
    store.setItem(STORAGE_KEY, JSON.stringify([wanted, key]));
  } catch {
    // Without storage a reload may not find the key; the hold's own state still forbids a second payment.
  }
  return key;
}

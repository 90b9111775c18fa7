import { describe, expect, it } from 'vitest';
import { keyOfIntent } from './checkout-intent.ts';

const intent = { show: 7, holdToken: 12, seats: [3, 1], amount: 5_000, after: null };

function memory() {
  const items = new Map<string, string>();
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
  };
}

function counter() {
  let made = 0;
  return () => `key-${++made}`;
}

describe('[P2] idempotency key of a checkout', () => {
  it('is the same for the same intent, also after a reload', () => {
    const [store, newKey] = [memory(), counter()];
    const first = keyOfIntent(intent, store, newKey);
    expect(keyOfIntent({ ...intent, seats: [1, 3] }, store, newKey)).toBe(first);
  });

  it('is another one after a decline, and for other seats, sums or holds', () => {
    const [store, newKey] = [memory(), counter()];
    const keys = [
      keyOfIntent(intent, store, newKey),
      keyOfIntent({ ...intent, after: 'order-1' }, store, newKey),
      keyOfIntent({ ...intent, seats: [3] }, store, newKey),
      keyOfIntent({ ...intent, amount: 1 }, store, newKey),
      keyOfIntent({ ...intent, holdToken: 13 }, store, newKey),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('works where storage is forbidden or holds something else', () => {
    const forbidden = () => {
      throw new Error('no storage');
    };
    expect(keyOfIntent(intent, { getItem: forbidden, setItem: forbidden }, () => 'key')).toBe('key');
    expect(keyOfIntent(intent, { getItem: () => '{', setItem: () => undefined }, () => 'key')).toBe('key');
  });
});

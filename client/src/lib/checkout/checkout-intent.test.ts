import { describe, expect, it } from 'vitest';
import { forbiddenShelf, memoryShelf } from '../../../test/memory-shelf.ts';
import { keyOfIntent } from './checkout-intent.ts';

const intent = { show: 7, holdToken: 12, seats: [3, 1], amount: 5_000, after: null };

function counter() {
  let made = 0;
  return () => `key-${++made}`;
}

describe('[P2] idempotency key of a checkout', () => {
  it('is the same for the same intent, also after a reload', () => {
    const [store, newKey] = [memoryShelf(), counter()];
    const first = keyOfIntent(intent, store, newKey);
    expect(keyOfIntent({ ...intent, seats: [1, 3] }, store, newKey)).toBe(first);
  });

  it('is another one after a decline, and for other seats, sums or holds', () => {
    const [store, newKey] = [memoryShelf(), counter()];
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
    expect(keyOfIntent(intent, forbiddenShelf, () => 'key')).toBe('key');
    for (const foreign of ['{', '{"a":1}', '[1]']) {
      const shelf = memoryShelf(new Map([['stampede:checkout-intent', foreign]]));
      expect(keyOfIntent(intent, shelf, () => 'key')).toBe('key');
    }
  });
});

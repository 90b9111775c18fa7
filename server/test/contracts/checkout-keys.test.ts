import { randomUUID } from 'node:crypto';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckoutKeys, CLAIM_MS } from '../../src/checkout/checkout-keys.ts';
import { MemoryCheckoutKeys } from '../../src/checkout/memory-checkout-keys.ts';
import { RedisCheckoutKeys } from '../../src/checkout/redis-checkout-keys.ts';
import { orderId } from '../../src/platform/ids.ts';
import type { RedisConnection } from '../../src/platform/redis.ts';
import { sharedServer } from '../shared-servers.ts';
import { connectTo } from './redis/redis-stand.ts';

let connection: RedisConnection;
beforeAll(async () => {
  connection = await connectTo((await sharedServer('redis')).url);
});
afterAll(() => connection.close());

const ADAPTERS: readonly (readonly [string, () => CheckoutKeys])[] = [
  ['memory', () => new MemoryCheckoutKeys(new ManualClock())],
  ['Redis', () => new RedisCheckoutKeys(connection.client)],
];

describe.each(ADAPTERS)('checkout keys: %s', (_, open) => {
  const newOrder = () => orderId(randomUUID());

  it('6.7 a key belongs to the hold that came with it first, however often it comes again', async () => {
    const [keys, order] = [open(), newOrder()];
    expect(await keys.claim(order, '1:7')).toBe('1:7');
    expect(await keys.claim(order, '1:7')).toBe('1:7');
    expect(await keys.claim(order, '2:7')).toBe('1:7');
    expect(await keys.claim(newOrder(), '2:7')).toBe('2:7');
  });

  it('6.7 of two at once one has it', async () => {
    const [keys, order] = [open(), newOrder()];
    const [first, second] = await Promise.all([keys.claim(order, '1:7'), keys.claim(order, '2:9')]);
    expect(first).toBe(second);
  });

  it('a key that is given up is as good as new', async () => {
    const [keys, order] = [open(), newOrder()];
    await keys.claim(order, '1:7');
    await keys.giveUp(order);
    expect(await keys.claim(order, '2:9')).toBe('2:9');
  });
});

it('[P7] claims are forgotten when no payment can be under way any more', async () => {
  const clock = new ManualClock();
  const [keys, order] = [new MemoryCheckoutKeys(clock), orderId(randomUUID())];
  await keys.claim(order, '1:7');
  clock.advance(CLAIM_MS - 1);
  expect(await keys.claim(order, '2:9')).toBe('1:7');
  clock.advance(1);
  expect(await keys.claim(order, '2:9')).toBe('2:9');
  const redis = orderId(randomUUID());
  await new RedisCheckoutKeys(connection.client).claim(redis, '1:7');
  expect(await connection.client.pttl(`{checkout:${redis}}`)).toBeGreaterThan(CLAIM_MS / 2);
});

import type { OrderId } from '../platform/ids.ts';
import type { RedisClient } from '../platform/redis.ts';
import { type CheckoutKeys, CLAIM_MS } from './checkout-keys.ts';

const keyOf = (order: OrderId): string => `{checkout:${order}}`;

/** Keys in Redis, one for each order that is being paid for. A Redis that lost them leaves the last word to the database. */
export class RedisCheckoutKeys implements CheckoutKeys {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async claim(order: OrderId, hold: string): Promise<string> {
    return (await this.#redis.set(keyOf(order), hold, 'PX', CLAIM_MS, 'NX', 'GET')) ?? hold;
  }

  async giveUp(order: OrderId): Promise<void> {
    await this.#redis.del(keyOf(order));
  }
}

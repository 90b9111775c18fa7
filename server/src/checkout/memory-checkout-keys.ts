import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { OrderId } from '../platform/ids.ts';
import { type CheckoutKeys, CLAIM_MS } from './checkout-keys.ts';

/** Keys of one process. */
export class MemoryCheckoutKeys implements CheckoutKeys {
  readonly #clock: Clock;
  readonly #claims = new Map<OrderId, { readonly hold: string; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async claim(order: OrderId, hold: string): Promise<string> {
    const now = this.#clock.now();
    // Oldest first: what comes after one that is good is good as well.
    for (const [old, { until }] of this.#claims) {
      if (until > now) break;
      this.#claims.delete(old);
    }
    const known = this.#claims.get(order);
    if (known) return known.hold;
    this.#claims.set(order, { hold, until: now + CLAIM_MS });
    return hold;
  }

  async giveUp(order: OrderId): Promise<void> {
    this.#claims.delete(order);
  }
}

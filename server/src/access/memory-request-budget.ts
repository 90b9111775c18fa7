import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RequestBudget, Spending } from './request-budget.ts';

/** A budget counted in this process alone: windows of fixed length that begin with a caller's first call. */
export class MemoryRequestBudget implements RequestBudget {
  readonly #limiter: RateLimiterMemory;

  constructor(calls: number, windowSeconds: number) {
    this.#limiter = new RateLimiterMemory({ points: calls, duration: windowSeconds });
  }

  async spend(caller: string): Promise<Spending> {
    try {
      await this.#limiter.consume(caller);
      return { ok: true };
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return { ok: false, retryAfterMs: refused.msBeforeNext };
      throw refused;
    }
  }
}

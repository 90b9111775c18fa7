import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { BudgetKind, BudgetWindow, BudgetWindows, RequestBudgets, Spending } from './request-budgets.ts';

/** Budgets counted in this process alone: windows of fixed length that begin with a caller's first call. */
export class MemoryRequestBudgets implements RequestBudgets {
  readonly #limiters: Readonly<Record<BudgetKind, readonly RateLimiterMemory[]>>;

  constructor({ read, session, recovery, socket }: BudgetWindows) {
    this.#limiters = {
      read: read.map(limiter),
      session: session.map(limiter),
      recovery: recovery.map(limiter),
      socket: socket.map(limiter),
    };
  }

  async spend(kind: BudgetKind, caller: string): Promise<Spending> {
    const refused = await Promise.all(this.#limiters[kind].map((one) => refusedMs(one, caller)));
    const retryAfterMs = Math.max(...refused);
    return retryAfterMs > 0 ? { ok: false, retryAfterMs } : { ok: true };
  }
}

function limiter({ calls, seconds }: BudgetWindow): RateLimiterMemory {
  return new RateLimiterMemory({ points: calls, duration: seconds });
}

/** Milliseconds until the window has room for one more call; 0 if it had. */
async function refusedMs(window: RateLimiterMemory, caller: string): Promise<number> {
  try {
    await window.consume(caller);
    return 0;
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext);
    throw refused;
  }
}

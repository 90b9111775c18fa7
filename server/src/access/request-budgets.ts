import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** What a caller spends: each kind has a budget of its own, so that who reads much can still buy. */
export type BudgetKind =
  /** Any call of `/api`. */
  | 'read'
  /** A new session: the only way to another place in the waiting room. */
  | 'session'
  /** A try at a recovery code. */
  | 'recovery'
  /** A socket opened. */
  | 'socket';

/** What one more call does to a caller's budget. */
export type Spending =
  | { readonly ok: true }
  /** Nothing left; milliseconds until there is. */
  | { readonly ok: false; readonly retryAfterMs: number };

interface BudgetSettings {
  readonly httpReadsPerMinute: number;
  readonly httpCallsPerMinute: number;
  readonly sessionsPerHour: number;
  readonly socketsPerHour: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** A code is typed from paper, and typed again: who tries more often guesses. */
const RECOVERIES_PER_MINUTE = 10;
const RECOVERIES_PER_HOUR = 60;

/**
 * Calls a caller may make in a time [P7], counted in this process alone, in windows of fixed length that begin with
 * the first call. Those of a kind hold together.
 */
export class RequestBudgets {
  readonly #windows: Readonly<Record<BudgetKind, readonly RateLimiterMemory[]>>;

  constructor(settings: BudgetSettings) {
    this.#windows = {
      read: [windowOf(settings.httpReadsPerMinute, MINUTE)],
      // A patient stuffer stays below any minute's bound, so the hour counts too.
      session: [windowOf(settings.httpCallsPerMinute, MINUTE), windowOf(settings.sessionsPerHour, HOUR)],
      recovery: [windowOf(RECOVERIES_PER_MINUTE, MINUTE), windowOf(RECOVERIES_PER_HOUR, HOUR)],
      socket: [windowOf(settings.socketsPerHour, HOUR)],
    };
  }

  /** Spends one call of `caller`, such as an address' `budgetKey`. */
  async spend(kind: BudgetKind, caller: string): Promise<Spending> {
    const refused = await Promise.all(this.#windows[kind].map((one) => refusedMs(one, caller)));
    const retryAfterMs = Math.max(...refused);
    return retryAfterMs > 0 ? { ok: false, retryAfterMs } : { ok: true };
  }
}

function windowOf(calls: number, seconds: number): RateLimiterMemory {
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

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

/** Calls within a time; the windows of a kind hold together. */
export interface BudgetWindow {
  readonly calls: number;
  readonly seconds: number;
}

export type BudgetWindows = Readonly<Record<BudgetKind, readonly BudgetWindow[]>>;

/** What one more call does to a caller's budget. */
export type Spending =
  | { readonly ok: true }
  /** Nothing left; milliseconds until there is. */
  | { readonly ok: false; readonly retryAfterMs: number };

/** Calls a caller may make in a time [P7]. */
export interface RequestBudgets {
  /** Spends one call of `caller`, such as an address' `budgetKey`. */
  spend(kind: BudgetKind, caller: string): Promise<Spending>;
}

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

/** The budgets that the settings ask for. */
export function budgetWindows(settings: BudgetSettings): BudgetWindows {
  return {
    read: [{ calls: settings.httpReadsPerMinute, seconds: MINUTE }],
    // A patient stuffer stays below any minute's bound, so the hour counts too.
    session: [
      { calls: settings.httpCallsPerMinute, seconds: MINUTE },
      { calls: settings.sessionsPerHour, seconds: HOUR },
    ],
    recovery: [
      { calls: RECOVERIES_PER_MINUTE, seconds: MINUTE },
      { calls: RECOVERIES_PER_HOUR, seconds: HOUR },
    ],
    socket: [{ calls: settings.socketsPerHour, seconds: HOUR }],
  };
}

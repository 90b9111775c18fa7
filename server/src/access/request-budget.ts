/** What one more call does to a caller's budget. */
export type Spending =
  | { readonly ok: true }
  /** Nothing left; milliseconds until there is. */
  | { readonly ok: false; readonly retryAfterMs: number };

/** Calls a caller may make in a time [P7]. */
export interface RequestBudget {
  /** Spends one call of `caller`, such as an address' `budgetKey`. */
  spend(caller: string): Promise<Spending>;
}

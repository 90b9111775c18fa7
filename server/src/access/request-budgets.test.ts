import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestBudgets } from './request-budgets.ts';

type Settings = ConstructorParameters<typeof RequestBudgets>[0];
const MANY = {
  httpReadsPerMinute: 1_000,
  httpCallsPerMinute: 1_000,
  sessionsPerHour: 1_000,
  socketsPerHour: 1_000,
};
const budgetsWith = (settings: Partial<Settings>) => new RequestBudgets({ ...MANY, ...settings });

describe('request budgets', () => {
  // The library reads the machine's clock, so the test holds that one.
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('[P7] allow so many calls in a window, then say when to come back', async () => {
    const budgets = budgetsWith({ httpReadsPerMinute: 3 });
    for (let call = 0; call < 3; call++) expect(await budgets.spend('read', 'a')).toEqual({ ok: true });
    vi.advanceTimersByTime(20_000);
    expect(await budgets.spend('read', 'a')).toEqual({ ok: false, retryAfterMs: 40_000 });
    vi.advanceTimersByTime(40_000);
    expect(await budgets.spend('read', 'a')).toEqual({ ok: true });
  });

  it('[P7] who stays below the bound of each minute still meets that of the hour', async () => {
    const budgets = budgetsWith({ httpCallsPerMinute: 2, sessionsPerHour: 10 });
    for (let minute = 0; minute < 5; minute++) {
      for (let call = 0; call < 2; call++) expect(await budgets.spend('session', 'a')).toEqual({ ok: true });
      vi.advanceTimersByTime(60_000);
    }
    expect(await budgets.spend('session', 'a')).toEqual({ ok: false, retryAfterMs: 55 * 60_000 });
  });

  it('[P7] one caller cannot use up the budget of another, nor one kind that of another', async () => {
    const budgets = budgetsWith({ httpReadsPerMinute: 1 });
    await budgets.spend('read', 'a');
    expect(await budgets.spend('read', 'a')).toMatchObject({ ok: false });
    expect(await budgets.spend('read', 'b')).toEqual({ ok: true });
    expect(await budgets.spend('session', 'a')).toEqual({ ok: true });
  });
});

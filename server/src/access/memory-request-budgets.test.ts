import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryRequestBudgets } from './memory-request-budgets.ts';
import type { BudgetWindows } from './request-budgets.ts';

const MANY = [{ calls: 1_000, seconds: 60 }];

function budgetsWith(windows: Partial<BudgetWindows>): MemoryRequestBudgets {
  return new MemoryRequestBudgets({ read: MANY, session: MANY, recovery: MANY, socket: MANY, ...windows });
}

describe('request budgets', () => {
  // The library reads the machine's clock, so the test holds that one.
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('[P7] allow so many calls in a window, then say when to come back', async () => {
    const budgets = budgetsWith({ read: [{ calls: 3, seconds: 60 }] });
    for (let call = 0; call < 3; call++) expect(await budgets.spend('read', 'a')).toEqual({ ok: true });
    vi.advanceTimersByTime(20_000);
    expect(await budgets.spend('read', 'a')).toEqual({ ok: false, retryAfterMs: 40_000 });
    vi.advanceTimersByTime(40_000);
    expect(await budgets.spend('read', 'a')).toEqual({ ok: true });
  });

  it('[P7] who stays below the bound of each minute still meets that of the hour', async () => {
    const budgets = budgetsWith({
      session: [
        { calls: 2, seconds: 60 },
        { calls: 10, seconds: 3_600 },
      ],
    });
    for (let minute = 0; minute < 5; minute++) {
      for (let call = 0; call < 2; call++) expect(await budgets.spend('session', 'a')).toEqual({ ok: true });
      vi.advanceTimersByTime(60_000);
    }
    expect(await budgets.spend('session', 'a')).toEqual({ ok: false, retryAfterMs: 55 * 60_000 });
  });

  it('[P7] one caller cannot use up the budget of another, nor one kind that of another', async () => {
    const budgets = budgetsWith({ read: [{ calls: 1, seconds: 60 }] });
    await budgets.spend('read', 'a');
    expect(await budgets.spend('read', 'a')).toMatchObject({ ok: false });
    expect(await budgets.spend('read', 'b')).toEqual({ ok: true });
    expect(await budgets.spend('session', 'a')).toEqual({ ok: true });
  });
});

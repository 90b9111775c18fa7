import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryRequestBudget } from './memory-request-budget.ts';

describe('the request budget', () => {
  // The library reads the machine's clock, so the test holds that one.
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('[P7] allows so many calls in a window, then says when to come back', async () => {
    const budget = new MemoryRequestBudget(3, 60);
    for (let call = 0; call < 3; call++) expect(await budget.spend('a')).toEqual({ ok: true });
    vi.advanceTimersByTime(20_000);
    expect(await budget.spend('a')).toEqual({ ok: false, retryAfterMs: 40_000 });
    vi.advanceTimersByTime(40_000);
    expect(await budget.spend('a')).toEqual({ ok: true });
  });

  it('[P7] one caller cannot use up the budget of another', async () => {
    const budget = new MemoryRequestBudget(1, 60);
    await budget.spend('a');
    expect(await budget.spend('a')).toMatchObject({ ok: false });
    expect(await budget.spend('b')).toEqual({ ok: true });
  });
});

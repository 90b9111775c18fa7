import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LaterPart } from './later-part.svelte.ts';

/** An import that fails as often as told, then brings `map`. */
function failing(times: number) {
  return vi.fn(() =>
    failed++ < times ? Promise.reject(new TypeError('Failed to fetch')) : Promise.resolve('map'),
  );
}
let failed: number;

describe('a part of the page that comes later', () => {
  beforeEach(() => {
    failed = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('is fetched once, however often it is asked for', async () => {
    const fetched = failing(0);
    const part = new LaterPart(fetched);
    expect(part.content).toBeNull();
    await Promise.all([part.fetch(), part.fetch()]);
    await part.fetch();
    expect(part.content).toBe('map');
    expect(fetched).toHaveBeenCalledOnce();
  });

  it('says that it could not be had, and is tried again until it is there', async () => {
    const fetched = failing(2);
    const part = new LaterPart(fetched);
    const there = part.fetch();
    await vi.advanceTimersByTimeAsync(0);
    expect(part.missed).toBe(true);
    await vi.runAllTimersAsync();
    await there;
    expect(fetched).toHaveBeenCalledTimes(3);
    expect([part.content, part.missed]).toEqual(['map', false]);
  });

  it('is not tried again once the page was left', async () => {
    const fetched = failing(Infinity);
    const part = new LaterPart(fetched);
    const given = part.fetch();
    await vi.advanceTimersByTimeAsync(0);
    part.leave();
    await vi.runAllTimersAsync();
    await given;
    expect(fetched).toHaveBeenCalledOnce();
  });
});

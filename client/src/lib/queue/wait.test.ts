import { describe, expect, it } from 'vitest';
import { en } from '#lib/i18n/en.ts';
import { memoryShelf } from '../../../test/memory-shelf.ts';
import { startOfWait, waitWords } from './wait.ts';

const words = (lowSeconds: number, highSeconds: number) => waitWords({ lowSeconds, highSeconds }, en, String);

describe('an estimated wait', () => {
  it('is a band that promises no more precision than there is', () => {
    expect(words(10, 40)).toBe('less than a minute');
    expect(words(10, 130)).toBe('up to 2 minutes');
    expect(words(310, 470)).toBe('5 to 8 minutes');
    expect(words(290, 310)).toBe('about 5 minutes');
    expect(words(3_000, 6_900)).toBe('50 minutes to 2 hours');
    expect(words(7_000, 7_300)).toBe('about 2 hours');
  });
});

describe('where a wait began', () => {
  it('[P4] is remembered over a reload, and a place farther back begins anew', () => {
    const store = memoryShelf();
    expect(startOfWait(7, 500, store)).toBe(500);
    expect(startOfWait(7, 200, store)).toBe(500);
    expect(startOfWait(7, 900, store)).toBe(900);
    expect(startOfWait(8, 3, store)).toBe(3);
  });
});

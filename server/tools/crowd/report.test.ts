import fc from 'fast-check';
import { describe as suite, expect, it } from 'vitest';
import { describe, isClean, type LedgerWord, percentile, summarise, Tally } from './report.ts';

const READ: LedgerWord = { read: true, soldSeats: 5, oversold: 0, soldToOthers: 0 };

const tallyOf = (fates: Partial<Tally['fates']>): Tally => {
  const tally = new Tally();
  Object.assign(tally.fates, fates);
  return tally;
};

suite('percentiles', () => {
  it('are values that were measured, by nearest rank', () => {
    expect(percentile([10, 20, 30, 40], 50)).toBe(20);
    expect(percentile([10, 20, 30, 40], 95)).toBe(40);
    expect(percentile([10], 1)).toBe(10);
    expect(percentile([], 50)).toBeNull();
  });

  it('leave at most their rest above them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 1 }),
        fc.constantFrom(50, 95, 99),
        (values, percent) => {
          const at = percentile(
            values.toSorted((a, b) => a - b),
            percent,
          );
          const above = values.filter((value) => value > (at ?? 0)).length;
          expect(values).toContain(at);
          expect(above / values.length).toBeLessThanOrEqual(1 - percent / 100 + 1e-9);
        },
      ),
    );
  });
});

suite('the summary', () => {
  it('counts every kind of answer, and latencies in milliseconds', () => {
    const tally = tallyOf({ owner: 3, declined: 1, refused: 5, unanswered: 1 });
    tally.holdLatenciesMs.push(3.14159, 1, 2);
    const summary = summarise(10, tally, READ);
    expect(summary).toEqual({
      buyers: 10,
      answered: 9,
      sold: 5,
      declined: 1,
      refused: 5,
      oversold: 0,
      errors: 0,
      p50Ms: 2,
      p95Ms: 3.1,
      p99Ms: 3.1,
    });
    expect(isClean(summary)).toBe(false);
  });

  it('is clean only when all were answered, nothing was oversold and nothing unexpected', () => {
    const clean = summarise(2, tallyOf({ owner: 1, refused: 1 }), READ);
    expect(isClean(clean)).toBe(true);
    expect(isClean({ ...clean, oversold: 1 })).toBe(false);
    expect(isClean({ ...clean, oversold: null })).toBe(false);
    expect(isClean({ ...clean, errors: 1 })).toBe(false);
    expect(isClean({ ...clean, answered: 1 })).toBe(false);
  });

  it('never says 0 oversold of a database it could not read', () => {
    const tally = tallyOf({ owner: 1 });
    tally.seatsTold = 2;
    const word: LedgerWord = { read: false, reason: 'gone' };
    const summary = summarise(1, tally, word);
    expect(summary).toMatchObject({ oversold: null, sold: 2 });
    const text = describe(summary, tally, word, { show: 'S', seed: 1, seconds: 1, ownDelayMs: 1 }).join('\n');
    expect(text).toContain('NOT READ');
    expect(text).toContain('gone');
  });

  it('counts buyers with errors, not errors, and names each kind', () => {
    const tally = tallyOf({ refused: 2 });
    tally.error('hold: timed-out', 1);
    tally.error('hold: timed-out', 1);
    tally.error('watch: malformed', 1);
    tally.error('a seat is sold without a confirmed order', null);
    const summary = summarise(2, tally, READ);
    expect(summary.errors).toBe(2);
    const text = describe(summary, tally, READ, { show: 'S', seed: 1, seconds: 1, ownDelayMs: 1 }).join('\n');
    expect(text).toContain('2 × hold: timed-out');
    expect(text).toContain('1 × watch: malformed');
  });
});

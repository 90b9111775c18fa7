import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSummaries, encodeSummaries } from './section-summary.ts';

const SECTIONS = 300;

const summaries = fc.uniqueArray(
  fc.record({
    section: fc.nat(SECTIONS - 1),
    free: fc.nat(200_000),
    cheapest: fc.option(fc.nat(255)),
  }),
  { selector: (one) => one.section, maxLength: 60 },
);

describe('section summaries', () => {
  test('5.6 any summaries survive the wire, sorted by section', () => {
    fc.assert(
      fc.property(summaries, (some) => {
        const sorted = some.toSorted((a, b) => a.section - b.section);
        expect(decodeSummaries(encodeSummaries(some), SECTIONS)).toEqual(sorted);
      }),
    );
  });

  test('5.6 a section that the show does not have is not read', () => {
    const packed = encodeSummaries([{ section: 12, free: 3, cheapest: 0 }]);
    expect(decodeSummaries(packed, 12)).toBeNull();
    expect(decodeSummaries(packed, 13)).toHaveLength(1);
  });

  test('[P7] random bytes are read within bounds or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const { section } of decodeSummaries(bytes, SECTIONS) ?? [])
          expect(section).toBeLessThan(SECTIONS);
      }),
      { numRuns: 2_000 },
    );
  });

  test('[P7] a summary that is cut off is not read', () => {
    expect(decodeSummaries(Uint8Array.of(1, 2), SECTIONS)).toBeNull();
    expect(decodeSummaries(Uint8Array.of(1, 2, 0x80), SECTIONS)).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PartitionProgress } from './kafka-partition-progress.ts';

describe('progress of a partition', () => {
  test('[P2] nothing is committable before something is settled', () => {
    const progress = new PartitionProgress(0);
    expect(progress.committable).toBeNull();
    progress.add(5);
    expect(progress.committable).toBeNull();
    expect(progress.last).toBe(5);
  });

  test('[P2] a record that is not settled holds the commit back, not the records behind it', () => {
    const progress = new PartitionProgress(0);
    const [first, second, third] = [progress.add(10), progress.add(11), progress.add(14)];
    progress.settle(third);
    progress.settle(second);
    expect(progress.committable).toBeNull();
    expect(progress.span).toBe(3);
    progress.settle(first);
    expect(progress.committable).toBe(15);
    expect(progress.span).toBe(0);
    expect(progress.last).toBe(14);
  });

  test('[P2] whatever the order of settling, what is committable is settled without a gap', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.infiniteStream(fc.nat()), (steps, choices) => {
        const progress = new PartitionProgress(3);
        let offset = 100;
        const waiting = steps.map((step) => progress.add((offset += step)));
        const settled = new Set<number>();
        const all = waiting.map((place) => place.offset);
        while (waiting.length > 0) {
          const [place] = waiting.splice((choices.next().value ?? 0) % waiting.length, 1);
          if (!place) continue;
          progress.settle(place);
          settled.add(place.offset);
          const firstUnsettled = all.find((one) => !settled.has(one));
          const below = all.filter((one) => firstUnsettled === undefined || one < firstUnsettled);
          const last = below.at(-1);
          expect(progress.committable).toBe(last === undefined ? null : last + 1);
          expect(progress.span).toBe(all.length - below.length);
        }
      }),
    );
  });
});

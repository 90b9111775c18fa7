import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { KafkaProgress } from './kafka-consumer-group.ts';

const messages = (offsets: readonly number[]): KafkaMessage[] =>
  offsets.map((offset) => ({
    ...{ key: null, value: null, headers: {}, timestamp: '0', attributes: 0 },
    offset: String(offset),
  }));

describe('progress of a partition', () => {
  test('[P2] nothing is committable before something is settled', () => {
    const progress = new KafkaProgress();
    expect(progress.committable()).toEqual(new Map());
    progress.take(0, messages([5]));
    expect(progress.committable()).toEqual(new Map());
  });

  test('[P2] a record that is not settled holds the commit back, not the records behind it', () => {
    const progress = new KafkaProgress();
    const [first, ...behind] = progress.take(0, messages([10, 11, 14]));
    progress.settle(behind.toReversed());
    expect(progress.committable()).toEqual(new Map());
    progress.settle([first!]);
    expect(progress.committable()).toEqual(new Map([[0, 15]]));
  });

  test('[P7] a partition is full of what is taken from its first open record on', () => {
    const progress = new KafkaProgress();
    const offsets = Array.from({ length: 20_000 }, (_, offset) => offset);
    const [first, ...behind] = progress.take(0, messages(offsets));
    progress.settle(behind);
    expect([progress.isFull(0), progress.isFull(1)]).toEqual([true, false]);
    progress.settle([first!]);
    expect(progress.isFull(0)).toBe(false);
  });

  test('[P2] whatever the order of settling, what is committable is settled without a gap', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.infiniteStream(fc.nat()), (steps, choices) => {
        const progress = new KafkaProgress();
        let offset = 100;
        const waiting = progress.take(3, messages(steps.map((step) => (offset += step))));
        const settled = new Set<number>();
        const all = waiting.map(({ message }) => Number(message.offset));
        while (waiting.length > 0) {
          const [place] = waiting.splice((choices.next().value ?? 0) % waiting.length, 1);
          if (!place) continue;
          progress.settle([place]);
          settled.add(Number(place.message.offset));
          const firstUnsettled = all.find((one) => !settled.has(one));
          const below = all.filter((one) => firstUnsettled === undefined || one < firstUnsettled);
          const last = below.at(-1);
          expect(progress.committable().get(3)).toBe(last === undefined ? undefined : last + 1);
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileText, hostileWord } from '../hostile-text.ts';
import { COOL_DOWN_MAX_MS } from '../../../src/seating/seat-notes.ts';
import { accepted, type OpenStand } from './seat-stand.ts';

const RUNS = 20;

/** A word and the like of it: what some collation or case folding would take for the same. */
const twins = hostileWord(63, 8).chain((word) =>
  fc.tuple(
    fc.constant(word),
    fc.constantFrom(word.toUpperCase(), word.toLowerCase(), `${word}.`, `'${word.slice(1)}`, `${word}\\`),
  ),
);

/** Texts that others make and a seat store keeps. */
export function describeTexts(open: OpenStand): void {
  describe('texts', () => {
    it('6.7 keys that differ in one byte are two keys, and each finds its own order', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      await fc.assert(
        fc.asyncProperty(twins, async ([one, other]) => {
          const hold = await stand.holding(ana, 0);
          const first = await stand.paying(ana, hold, { idempotencyKey: one });
          await stand.settle(stand.fate('returned', ana, first));
          const second = accepted(await stand.checkout(ana, hold, { idempotencyKey: other }));
          expect(second.repeated).toBe(one === other);
          if (one !== other) await stand.settle(stand.fate('returned', ana, second.hold));
          const repeated = accepted(await stand.checkout(ana, hold, { idempotencyKey: one }));
          expect(repeated).toMatchObject({ repeated: true, hold: { orderId: first.orderId } });
          await stand.release(ana, hold.holdToken);
          stand.pass(COOL_DOWN_MAX_MS);
        }),
        { numRuns: RUNS },
      );
    });

    it('[P2] a reason is told as it was given, whatever it is made of', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      await fc.assert(
        fc.asyncProperty(hostileText(80), async (reason) => {
          const reader = await stand.reader();
          const frozen = await stand.paying(ana, await stand.holding(ana, 0));
          const fate = stand.fate('voided', ana, frozen);
          await stand.settle({ ...fate, order: { ...fate.order, reason } });
          await stand.drain(reader);
          const told = reader.noticesTo(ana).filter((notice) => notice.kind === 'order');
          expect(told.map(({ order }) => order.reason)).toEqual([reason]);
        }),
        { numRuns: RUNS, examples: [['\0'], ['🎟'.repeat(40)]] },
      );
    });
  });
}

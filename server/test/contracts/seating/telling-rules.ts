import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../../src/seating/seat-store.ts';
import { accepted, HOLD_LIFETIME_MS, type OpenStand, PAYMENT_TIME_MS, ANY_REVISION } from './seat-stand.ts';

/** What the feed says of each step. */
export function describeTelling(open: OpenStand): void {
  describe('feed', () => {
    it('tells of a hold and its changes: seats to everybody, the hold to its buyer', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const reader = await stand.reader();
      const first = await stand.holding(ana, 1, 0);
      const more = await stand.holding(ana, 5);
      const extended = accepted(await stand.extend(ana, first.holdToken));
      const rest = accepted(await stand.release(ana, first.holdToken, 0));
      accepted(await stand.release(ana, first.holdToken));
      await stand.drain(reader);
      const about = { session: ana, holdToken: first.holdToken };
      expect(reader.entries.slice(0, 5)).toEqual([
        {
          changes: [
            { seat: 1, status: HELD },
            { seat: 0, status: HELD },
          ],
          notice: { kind: 'hold', session: ana, hold: first },
        },
        { changes: [{ seat: 5, status: HELD }], notice: { kind: 'hold', session: ana, hold: more } },
        { changes: [], notice: { kind: 'hold', session: ana, hold: extended } },
        { changes: [{ seat: 0, status: AVAILABLE }], notice: { kind: 'hold', session: ana, hold: rest } },
        {
          changes: [
            { seat: 1, status: AVAILABLE },
            { seat: 5, status: AVAILABLE },
          ],
          notice: { kind: 'hold-ended', ...about, seats: [1, 5], reason: 'released', revision: ANY_REVISION },
        },
      ]);
    });

    it('tells a buyer that the hold ran out, before the next one has its seats', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const { holdToken } = await stand.holding(ana, 0, 1);
      stand.pass(HOLD_LIFETIME_MS);
      const reader = await stand.reader();
      const next = await stand.holding(ben, 1);
      await stand.expire();
      await stand.drain(reader);
      expect(reader.noticesTo(ana)).toEqual([
        {
          kind: 'hold-ended',
          session: ana,
          holdToken,
          seats: [0, 1],
          reason: 'expired',
          revision: ANY_REVISION,
        },
      ]);
      const ofSeat = reader.entries.flatMap((entry) => entry.changes.filter((change) => change.seat === 1));
      expect(ofSeat.map((change) => change.status)).toEqual([AVAILABLE, HELD]);
      expect(reader.noticesTo(ben)).toEqual([{ kind: 'hold', session: ben, hold: next }]);
    });

    it('tells that a hold is frozen, and thawed again', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const reader = await stand.reader();
      const frozen = await stand.paying(ana, hold);
      await stand.abandon(ana, frozen.orderId);
      await stand.drain(reader);
      expect(reader.noticesTo(ana)).toEqual([
        { kind: 'hold', session: ana, hold: frozen },
        { kind: 'hold', session: ana, hold: { ...hold, revision: ANY_REVISION } },
      ]);
      expect(reader.entries.slice(0, 2).flatMap((entry) => entry.changes)).toEqual([]);
    });

    it('tells a sale: the seats to everybody, order and end of the hold to the buyer', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      const reader = await stand.reader();
      const fate = stand.fate('sold', ana, frozen);
      await stand.settle(fate);
      await stand.drain(reader);
      const { holdToken, seats } = frozen;
      expect(reader.noticesTo(ana)).toEqual([
        { kind: 'order', session: ana, order: fate.order },
        { kind: 'hold-ended', session: ana, holdToken, seats, reason: 'sold', revision: ANY_REVISION },
      ]);
      const changes = reader.entries.flatMap((entry) => entry.changes).slice(0, 2);
      expect(changes).toEqual([
        { seat: 0, status: SOLD },
        { seat: 1, status: SOLD },
      ]);
    });

    it('tells a decline: the order, then the hold that is the buyer’s again', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      const reader = await stand.reader();
      const fate = stand.fate('returned', ana, frozen);
      await stand.settle(fate);
      await stand.drain(reader);
      expect(reader.noticesTo(ana)).toEqual([
        { kind: 'order', session: ana, order: fate.order },
        { kind: 'hold', session: ana, hold: await stand.holdOf(ana) },
      ]);
    });

    it('6.10 tells a void: the order, then the end of the hold', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      const reader = await stand.reader();
      const fate = stand.fate('voided', ana, frozen);
      await stand.settle(fate);
      await stand.drain(reader);
      const { holdToken, seats } = frozen;
      expect(reader.noticesTo(ana)).toEqual([
        { kind: 'order', session: ana, order: fate.order },
        { kind: 'hold-ended', session: ana, holdToken, seats, reason: 'lost', revision: ANY_REVISION },
      ]);
    });

    it.each<Settlement['kind']>(['sold', 'returned', 'voided'])(
      '[P2] tells a buyer that the order is %s though the hold is long gone',
      async (kind) => {
        const stand = await open();
        const ana = await stand.buyer('ana');
        const fate = stand.fate(kind, ana, await stand.paying(ana, await stand.holding(ana, 0)));
        stand.pass(PAYMENT_TIME_MS);
        await stand.expire();
        const reader = await stand.reader();
        await stand.settle(fate);
        await stand.drain(reader);
        expect(reader.noticesTo(ana)).toEqual([{ kind: 'order', session: ana, order: fate.order }]);
      },
    );

    it('says nothing of what was refused, and nothing that did not change', async () => {
      const stand = await open();
      const [ana, ben, eve] = [await stand.buyer('ana'), await stand.buyer('ben'), stand.stranger('eve')];
      const hold = await stand.holding(ana, 0);
      const reader = await stand.reader();
      await stand.hold(eve, 1);
      await stand.hold(ben, 0, 1);
      await stand.hold(ana, 0);
      await stand.extend(ben, hold.holdToken);
      await stand.release(ana, hold.holdToken, 1);
      await stand.checkout(ana, hold, { amount: 1 });
      await stand.expire();
      const mark = reader.noticesTo(await stand.drain(reader));
      expect(reader.entries).toHaveLength(mark.length);
    });

    it('[P5] replayed from its base it is the show, at every moment', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.holding(ben, 7);
      const early = await stand.reader();
      const steps: (() => Promise<unknown>)[] = [
        () => stand.holding(ana, 0, 1, 2),
        () => stand.holding(ben, 4, 5),
        async () => stand.release(ana, (await stand.holdOf(ana))!.holdToken, 1),
        async () =>
          stand.settle(stand.fate('sold', ana, await stand.paying(ana, (await stand.holdOf(ana))!))),
        async () => stand.paying(ben, (await stand.holdOf(ben))!),
        async () => {
          stand.pass(PAYMENT_TIME_MS);
        },
        () => stand.holding(ana, 1, 4),
        () => stand.expire(),
      ];
      const readers = [early];
      for (const step of steps) {
        await step();
        readers.push(await stand.reader());
      }
      expect(await stand.picture()).toBe('ShS.h...');
      for (const reader of readers) {
        await stand.drain(reader);
        const now = await stand.peek();
        expect(reader.bases).toHaveLength(1);
        expect(reader.epoch).toBe(now.epoch);
        expect(reader.statuses).toEqual(now.statuses);
        expect(reader.sequences).toEqual(now.sequences);
      }
    });
  });
}

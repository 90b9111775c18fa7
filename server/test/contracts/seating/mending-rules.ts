import { describe, expect, it } from 'vitest';
import { sessionId } from '../../../src/platform/ids.ts';
import { expectRefused, HOLD_LIFETIME_MS, type OpenStand } from './seat-stand.ts';

const NOTHING = { sold: [], unsold: [], counts: [] };

/** Making seats what the database says of them. */
export function describeMending(open: OpenStand): void {
  describe('mend', () => {
    it('[P1] seats that are somebody’s by the database are sold, and everybody hears it', async () => {
      const stand = await open();
      const reader = await stand.reader();
      const ana = await stand.buyer('ana');
      const sold = [0, 1, 5].map((seat) => ({ seat, session: ana }));
      await stand.store.mend(stand.rules, { ...NOTHING, sold });
      expect(await stand.picture()).toBe('SS...S..');
      await stand.drain(reader);
      expect([...reader.statuses.subarray(0, 8)]).toEqual([2, 2, 0, 0, 0, 2, 0, 0]);
      expect(await stand.store.boughtSeats(stand.show)).toEqual(new Map([[ana, 3]]));
      expectRefused(await stand.hold(ana, 2, 3), 'limit-exceeded');
    });

    it('[P1] twice is once', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const repairs = { ...NOTHING, sold: [{ seat: 2, session: ana }] };
      await stand.store.mend(stand.rules, repairs);
      await stand.store.mend(stand.rules, repairs);
      expect(await stand.store.boughtSeats(stand.show)).toEqual(new Map([[ana, 1]]));
    });

    it('[P1] whoever holds them loses them: a hold goes on with the rest, or ends', async () => {
      const stand = await open();
      const reader = await stand.reader();
      const [ana, ben, cleo] = [
        await stand.buyer('ana'),
        await stand.buyer('ben'),
        await stand.buyer('cleo'),
      ];
      await stand.holding(ben, 0, 1);
      const lost = await stand.holding(cleo, 2);
      const sold = [0, 2].map((seat) => ({ seat, session: ana }));
      await stand.store.mend(stand.rules, { ...NOTHING, sold });
      expect(await stand.picture()).toBe('ShS.....');
      expect((await stand.holdOf(ben))?.seats).toEqual([1]);
      expect(await stand.holdOf(cleo)).toBeNull();
      await stand.drain(reader);
      const { holdToken } = lost;
      expect(reader.noticesTo(cleo).at(-1)).toMatchObject({ kind: 'hold-ended', holdToken, reason: 'lost' });
      expect(reader.noticesTo(ben).at(-1)).toMatchObject({ kind: 'hold', hold: { seats: [1] } });
    });

    it('[P2] the buyer’s own payment, whose outcome comes later: told then, and counted once', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 3, 4));
      const sold = frozen.seats.map((seat) => ({ seat, session: ana }));
      await stand.store.mend(stand.rules, { ...NOTHING, sold });
      const reader = await stand.reader();
      await stand.settle(stand.fate('sold', ana, frozen));
      await stand.drain(reader);
      expect(reader.noticesTo(ana)).toMatchObject([{ kind: 'order', order: { status: 'confirmed' } }]);
      expect(await stand.picture()).toBe('...SS...');
      expect(await stand.store.boughtSeats(stand.show)).toEqual(new Map([[ana, 2]]));
    });

    it('[P3] seats that are nobody’s are on sale again, those that are held stay so', async () => {
      const stand = await open({
        facts: { sold: [{ seat: 6, session: sessionId('x'.repeat(22)) }], checkouts: [] },
      });
      const reader = await stand.reader();
      const ben = await stand.buyer('ben');
      await stand.holding(ben, 7);
      await stand.store.mend(stand.rules, { ...NOTHING, unsold: [6, 7, 0] });
      expect(await stand.picture()).toBe('.......h');
      await stand.holding(ben, 6);
      await stand.drain(reader);
      expect([...reader.statuses.subarray(6, 8)]).toEqual([1, 1]);
      stand.pass(HOLD_LIFETIME_MS);
      await stand.expire();
      expect(await stand.picture()).toBe('........');
    });
  });
}

import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../../src/seating/seat-store.ts';
import { COOL_DOWN_MS } from '../../../src/seating/seat-notes.ts';
import {
  expectRefused,
  HOLD_LIFETIME_MS,
  type OpenStand,
  PAYMENT_TIME_MS,
  priceOfAll,
  type SeatStand,
  ANY_REVISION,
} from './seat-stand.ts';

const KINDS: readonly Settlement['kind'][] = ['sold', 'returned', 'voided'];

/** Applies something once and says what stood before; then nothing may change that any more. */
async function expectNoChange(stand: SeatStand, action: () => Promise<void>): Promise<void> {
  const look = async (): Promise<unknown> => {
    const { statuses, sequences } = await stand.peek();
    const holds = await Promise.all(['ana', 'ben'].map((name) => stand.holdOf(stand.stranger(name))));
    return { statuses, sequences, holds };
  };
  const before = await look();
  await action();
  expect(await look()).toEqual(before);
}

/** What the database decided reaches the seats. */
export function describeSettlement(open: OpenStand): void {
  describe('settle', () => {
    it('sold: the seats are the buyer’s and the hold is over', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      await stand.settle(stand.fate('sold', ana, frozen));
      expect(await stand.picture()).toBe('SS......');
      expect(await stand.holdOf(ana)).toBeNull();
      expectRefused(await stand.extend(ana, frozen.holdToken), 'hold-ended');
      expect((await stand.holding(ana, 2)).seats).toEqual([2]);
    });

    it('tells how many seats each buyer has bought, however often it is applied', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      expect(await stand.store.boughtSeats(stand.show)).toEqual(new Map());
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      const other = await stand.paying(ben, await stand.holding(ben, 2));
      const fate = stand.fate('sold', ana, frozen);
      await stand.settle(fate, stand.fate('returned', ben, other));
      await stand.settle(fate);
      expect(await stand.store.boughtSeats(stand.show)).toEqual(new Map([[ana, 2]]));
    });

    it('returned: the hold lives on with the time it had left at checkout', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0, 1);
      stand.pass(100_000);
      const frozen = await stand.paying(ana, hold);
      stand.pass(400_000);
      await stand.settle(stand.fate('returned', ana, frozen));
      const thawed = { ...hold, revision: ANY_REVISION, expiresAt: stand.now + HOLD_LIFETIME_MS - 100_000 };
      expect(await stand.holdOf(ana)).toEqual(thawed);
      expect((await stand.holding(ana, 2)).seats).toEqual([0, 1, 2]);
      stand.pass(HOLD_LIFETIME_MS - 100_000);
      expect(await stand.holdOf(ana)).toBeNull();
    });

    it('voided: the hold is over and the seats are on sale again', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      await stand.settle(stand.fate('voided', ana, frozen));
      expect(await stand.picture()).toBe('........');
      expect(await stand.holdOf(ana)).toBeNull();
      await stand.holding(await stand.buyer('ben'), 0);
    });

    it('several at once, each as if alone', async () => {
      const stand = await open();
      const names = ['ana', 'ben', 'cleo'];
      const fates: Settlement[] = [];
      for (const [index, name] of names.entries()) {
        const buyer = await stand.buyer(name);
        const frozen = await stand.paying(buyer, await stand.holding(buyer, index));
        fates.push(stand.fate(KINDS[index]!, buyer, frozen));
      }
      await stand.settle(...fates);
      expect(await stand.picture()).toBe('Sh......');
    });

    it.each(KINDS)('%s twice changes nothing more', async (kind) => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      const fate = stand.fate(kind, ana, frozen);
      await stand.settle(fate);
      stand.pass(1_000);
      await expectNoChange(stand, () => stand.settle(fate, fate));
    });

    it.each(KINDS)('%s again leaves the buyer’s next hold and checkout alone', async (kind) => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const fate = stand.fate(kind, ana, await stand.paying(ana, await stand.holding(ana, 0)));
      await stand.settle(fate);
      const next = await stand.holding(ana, 1);
      await expectNoChange(stand, () => stand.settle(fate));
      await stand.paying(ana, next, { idempotencyKey: 'key-two-' });
      stand.pass(1_000);
      await expectNoChange(stand, () => stand.settle(fate));
    });

    it.each(['returned', 'voided'] as const)('%s late leaves the seats’ next holder alone', async (kind) => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(PAYMENT_TIME_MS);
      await stand.holding(ben, 0);
      await expectNoChange(stand, () => stand.settle(stand.fate(kind, ana, frozen)));
    });

    it.each(['swept', 'unswept'])('[P3] returned late does not bring the hold back, %s', async (sweeping) => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(PAYMENT_TIME_MS);
      if (sweeping === 'swept') await stand.expire();
      await stand.settle(stand.fate('returned', ana, frozen));
      expect(await stand.holdOf(ana)).toBeNull();
      await stand.holding(await stand.buyer('ben'), 0);
    });
  });

  describe('sold by the database’s word', () => {
    it('after the hold ran out and nobody took the seats', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      stand.pass(PAYMENT_TIME_MS);
      await stand.expire();
      await stand.settle(stand.fate('sold', ana, frozen));
      expect(await stand.picture()).toBe('SS......');
      expectRefused(await stand.hold(ana, 2, 3, 4), 'limit-exceeded');
    });

    it('[P1] over somebody else’s hold: they lose the seats, and the hold with its last one', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      stand.pass(PAYMENT_TIME_MS);
      const lost = await stand.holding(ben, 0, 1);
      const reader = await stand.reader();
      await stand.settle(stand.fate('sold', ana, frozen));
      expect(await stand.holdOf(ben)).toBeNull();
      expect(await stand.picture()).toBe('SS......');
      expectRefused(await stand.extend(ben, lost.holdToken), 'hold-ended');
      await stand.drain(reader);
      expect(reader.noticesTo(ben)).toEqual([
        {
          kind: 'hold-ended',
          session: ben,
          holdToken: lost.holdToken,
          seats: [0, 1],
          reason: 'lost',
          revision: ANY_REVISION,
        },
      ]);
    });

    it('[P1] over a part of somebody else’s hold: they keep the rest', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      stand.pass(PAYMENT_TIME_MS);
      const hold = await stand.holding(ben, 2, 1);
      const reader = await stand.reader();
      await stand.settle(stand.fate('sold', ana, frozen));
      const rest = { ...hold, revision: ANY_REVISION, seats: [2], amount: priceOfAll([2]) };
      expect(await stand.holdOf(ben)).toEqual(rest);
      expect(await stand.picture()).toBe('SSh.....');
      await stand.drain(reader);
      expect(reader.noticesTo(ben)).toEqual([{ kind: 'hold', session: ben, hold: rest }]);
    });

    it('[P1] over a hold that is being paid for: its order can only be voided', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hers = await stand.paying(ana, await stand.holding(ana, 0, 1));
      stand.pass(PAYMENT_TIME_MS);
      const his = await stand.paying(ben, await stand.holding(ben, 1, 2));
      await stand.settle(stand.fate('sold', ana, hers));
      expect(await stand.picture()).toBe('SSh.....');
      expectRefused(await stand.hold(ben, 3), 'in-checkout');
      await stand.settle(stand.fate('voided', ben, his));
      expect(await stand.picture()).toBe('SS......');
      expect(await stand.holdOf(ben)).toBeNull();
    });

    it('[P1] over a hold that has run out unswept: nothing of it stays', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      stand.pass(PAYMENT_TIME_MS);
      const hold = await stand.holding(ben, 1, 2);
      stand.pass(HOLD_LIFETIME_MS);
      const reader = await stand.reader();
      await stand.settle(stand.fate('sold', ana, frozen));
      expect(await stand.holdOf(ben)).toBeNull();
      await stand.expire();
      expect(await stand.picture()).toBe('SS......');
      await stand.drain(reader);
      expect(reader.noticesTo(ben)).toMatchObject([
        { kind: 'hold-ended', holdToken: hold.holdToken, reason: 'expired', revision: ANY_REVISION },
      ]);
    });

    it('beyond the buyer’s limit: seats held already may be asked for again, no others', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const first = await stand.paying(ana, await stand.holding(ana, 0, 1, 2));
      stand.pass(PAYMENT_TIME_MS);
      const hold = await stand.holding(ana, 3, 4);
      await stand.settle(stand.fate('sold', ana, first));
      expect(await stand.holding(ana, 4, 3)).toEqual(hold);
      expectRefused(await stand.hold(ana, 5), 'limit-exceeded');
    });

    it('over the buyer’s own newer hold: it shrinks, and is over with its last seat', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const first = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(PAYMENT_TIME_MS + COOL_DOWN_MS);
      const hold = await stand.holding(ana, 0, 1);
      const reader = await stand.reader();
      await stand.settle(stand.fate('sold', ana, first));
      const rest = { ...hold, revision: ANY_REVISION, seats: [1], amount: priceOfAll([1]) };
      expect(await stand.holdOf(ana)).toEqual(rest);
      await stand.drain(reader);
      expect(reader.noticesTo(ana)).toContainEqual({ kind: 'hold', session: ana, hold: rest });
    });

    it('[P2] after its checkout was abandoned: the request had reached the payment log after all', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
      await stand.abandon(ana, frozen.orderId);
      const reader = await stand.reader();
      await stand.settle(stand.fate('sold', ana, frozen));
      expect(await stand.holdOf(ana)).toBeNull();
      expect(await stand.picture()).toBe('SS......');
      await stand.drain(reader);
      expect(reader.noticesTo(ana).at(-1)).toEqual({
        kind: 'hold-ended',
        session: ana,
        holdToken: frozen.holdToken,
        seats: [0, 1],
        reason: 'sold',
        revision: ANY_REVISION,
      });
    });
  });
}

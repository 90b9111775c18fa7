import { describe, expect, it } from 'vitest';
import { holdToken } from '../../../src/platform/ids.ts';
import { EXTENSIONS_MAX as MOST_EXTENSIONS } from '../../../src/seating/seat-store.ts';
import {
  accepted,
  expectRefused,
  EXTENSIONS_MAX,
  HOLD_LIFETIME_MS,
  type OpenStand,
  priceOfAll,
  ANY_REVISION,
} from './seat-stand.ts';

/** The end of a hold's time, later deadlines, seats given back. */
export function describeHoldLifetime(open: OpenStand): void {
  describe('deadline', () => {
    it.each(['swept', 'unswept'])('[P3] a hold is gone at its deadline, %s', async (sweeping) => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hold = await stand.holding(ana, 0, 1);
      stand.pass(HOLD_LIFETIME_MS - 1);
      expect(await stand.expire()).toBe(0);
      expect(await stand.holdOf(ana)).toEqual(hold);
      expectRefused(await stand.hold(ben, 1), 'seat-taken', [1]);
      stand.pass(1);
      if (sweeping === 'swept') expect(await stand.expire()).toBe(1);
      expect(await stand.holdOf(ana)).toBeNull();
      expectRefused(await stand.extend(ana, hold.holdToken), 'hold-ended');
      expectRefused(await stand.release(ana, hold.holdToken), 'hold-ended');
      expectRefused(await stand.checkout(ana, hold), 'hold-ended');
      expect((await stand.holding(ben, 1)).seats).toEqual([1]);
      expect(await stand.picture()).toBe('.h......');
    });

    it.each(['swept', 'unswept'])('a buyer whose hold ran out starts a new one, %s', async (sweeping) => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const old = await stand.holding(ana, 0, 1, 2);
      stand.pass(HOLD_LIFETIME_MS);
      if (sweeping === 'swept') await stand.expire();
      const hold = await stand.holding(ana, 3, 4);
      expect(hold).toMatchObject({ seats: [3, 4], expiresAt: stand.now + HOLD_LIFETIME_MS });
      expect(hold.holdToken).toBeGreaterThan(old.holdToken);
      expectRefused(await stand.release(ana, old.holdToken), 'hold-ended');
      expect(await stand.picture()).toBe('...hh...');
    });

    it('[P3] sweeping ends what ran out, once, and nothing else', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.holding(ana, 0, 1);
      await stand.holding(await stand.buyer('cleo'), 4);
      stand.pass(1);
      const hold = await stand.holding(ben, 2);
      stand.pass(HOLD_LIFETIME_MS - 1);
      expect(await stand.expire()).toBe(2);
      expect(await stand.expire()).toBe(0);
      expect(await stand.holdOf(ben)).toEqual(hold);
      expect(await stand.picture()).toBe('..h.....');
    });
  });

  describe('extend', () => {
    it('6.5 7.17 moves the deadline to one lifetime from now, a limited number of times', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      for (let left = EXTENSIONS_MAX - 1; left >= 0; left--) {
        stand.pass(10_000);
        const extended = accepted(await stand.extend(ana, hold.holdToken));
        expect(extended).toEqual({
          ...hold,
          revision: ANY_REVISION,
          expiresAt: stand.now + HOLD_LIFETIME_MS,
          extensionsLeft: left,
        });
      }
      const last = await stand.holdOf(ana);
      stand.pass(10_000);
      expectRefused(await stand.extend(ana, hold.holdToken), 'extension-limit');
      expect(await stand.holdOf(ana)).toEqual(last);
      expect((await stand.holding(ana, 1)).extensionsLeft).toBe(0);
    });

    it('[P7] counts as many extensions as rules may allow', async () => {
      const stand = await open();
      const generous = { ...stand.rules, extensionsMax: MOST_EXTENSIONS };
      const [outcome] = await stand.store.take(generous, [stand.ask(await stand.buyer('ana'), 0)]);
      expect(accepted(outcome).extensionsLeft).toBe(MOST_EXTENSIONS);
    });

    it('[P6] knows stale tokens from those of somebody else', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const old = await stand.holding(ana, 0);
      await stand.release(ana, old.holdToken);
      const hold = await stand.holding(ana, 0);
      const never = holdToken(hold.holdToken + 1_000);
      expectRefused(await stand.extend(ana, old.holdToken), 'hold-ended');
      expectRefused(await stand.extend(ana, never), 'hold-ended');
      expectRefused(await stand.extend(ben, hold.holdToken), 'hold-ended');
      expect(await stand.holdOf(ana)).toEqual(hold);
    });

    it('says in-checkout before extension-limit', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      for (let count = 0; count < EXTENSIONS_MAX; count++) await stand.extend(ana, hold.holdToken);
      await stand.paying(ana, hold);
      expectRefused(await stand.extend(ana, hold.holdToken), 'in-checkout');
    });
  });

  describe('release', () => {
    it('gives back some seats: the hold lives on with the rest', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hold = await stand.holding(ana, 0, 1, 2);
      const rest = accepted(await stand.release(ana, hold.holdToken, 1));
      expect(rest).toEqual({ ...hold, revision: ANY_REVISION, seats: [0, 2], amount: priceOfAll([0, 2]) });
      expect(await stand.holdOf(ana)).toEqual(rest);
      expect(await stand.picture()).toBe('h.h.....');
      await stand.holding(ben, 1);
    });

    it.each([
      ['naming none', []],
      ['naming each', [2, 0, 1]],
      ['naming each, some twice', [2, 0, 1, 0, 2]],
    ])('gives back all seats, %s: the hold is over', async (_, seats) => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const { holdToken: token } = await stand.holding(ana, 0, 1, 2);
      const released = accepted(await stand.release(ana, token, ...seats));
      expect(released).toMatchObject({ holdToken: token, reason: 'released' });
      expect([...released.seats].sort()).toEqual([0, 1, 2]);
      expect(await stand.holdOf(ana)).toBeNull();
      expect(await stand.picture()).toBe('........');
      expectRefused(await stand.release(ana, token), 'hold-ended');
    });

    it('makes room in the limit', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0, 1, 2, 3);
      await stand.release(ana, hold.holdToken, 0, 1);
      await stand.holding(ana, 4, 5);
    });

    it('[P6] refuses what is not in the caller’s live hold, and does nothing', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hold = await stand.holding(ana, 0, 1);
      const other = await stand.holding(ben, 2);
      expectRefused(await stand.release(ana, hold.holdToken, 0, 2, 3), 'seat-unknown', [2, 3]);
      expectRefused(await stand.release(ana, other.holdToken, 2), 'hold-ended');
      expectRefused(await stand.release(ben, holdToken(1), 2), 'hold-ended');
      await stand.paying(ana, hold);
      expectRefused(await stand.release(ana, hold.holdToken, 3), 'in-checkout');
      expect(await stand.picture()).toBe('hhh.....');
    });
  });
}

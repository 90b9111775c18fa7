import type { Hold } from '../../../src/feed/show-feed.ts';
import { describe, expect, it } from 'vitest';
import { type NetworkTag, networkTag, type SessionId } from '../../../src/platform/ids.ts';
import type { Outcome } from '../../../src/platform/outcome.ts';
import {
  CHANGE_OF_MIND_MS,
  COOL_DOWN_MAX_MS,
  COOL_DOWN_MS,
  NOTE_KEPT_MS,
} from '../../../src/seating/seat-notes.ts';
import {
  accepted,
  expectRefused,
  HOLD_LIFETIME_MS,
  type OpenStand,
  SEATS_PER_NETWORK,
  type SeatStand,
} from './seat-stand.ts';

const HOME = networkTag('network-one');
const OFFICE = networkTag('network-two');

/** Asks for seats from a network. */
async function holdFrom(
  stand: SeatStand,
  network: NetworkTag | null,
  session: SessionId,
  ...seats: readonly number[]
): Promise<Outcome<Hold>> {
  const request = { ...stand.ask(session, ...seats), network };
  const [outcome] = await stand.store.take(stand.rules, [request]);
  return outcome;
}

/** Takes a seat and gives it back, not at once. */
async function handRound(
  stand: SeatStand,
  network: NetworkTag | null,
  session: SessionId,
  seat = 0,
): Promise<void> {
  const { holdToken } = accepted(await holdFrom(stand, network, session, seat));
  stand.pass(CHANGE_OF_MIND_MS + 1);
  accepted(await stand.release(session, holdToken));
}

/** Seats are bought, and not kept from others. */
export function describeHoarding(open: OpenStand): void {
  describe('seats given back', () => {
    it('6.11 7.27 [P7] are left to others for a while, then the same buyer may have them again', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      await handRound(stand, null, ana);
      expect(await stand.hold(ana, 0, 1)).toMatchObject({
        ok: false,
        code: 'cooling-down',
        seats: [0],
        retryAfterMs: COOL_DOWN_MS,
      });
      await stand.holding(await stand.buyer('ben'), 0);
      await stand.holding(ana, 1);
    });

    it('[P7] may be had again as soon as that while is over', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      await handRound(stand, null, ana);
      stand.pass(COOL_DOWN_MS - 1);
      expect(await stand.hold(ana, 0)).toMatchObject({ code: 'cooling-down', retryAfterMs: 1 });
      stand.pass(1);
      await stand.holding(ana, 0);
    });

    it.each(['swept', 'unswept'])('[P7] by running out, %s, are given back as well', async (sweeping) => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.holding(ana, 0);
      stand.pass(HOLD_LIFETIME_MS);
      if (sweeping === 'swept') expect(await stand.expire()).toBe(1);
      expectRefused(await stand.hold(ana, 0), 'cooling-down', [0]);
      await stand.holding(ben, 0);
    });

    it('one of several: only that one is left to others', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const { holdToken } = await stand.holding(ana, 0, 1);
      stand.pass(CHANGE_OF_MIND_MS + 1);
      accepted(await stand.release(ana, holdToken, 1));
      expectRefused(await stand.hold(ana, 1), 'cooling-down', [1]);
      expect((await stand.holding(ana, 2)).seats).toEqual([0, 2]);
    });

    it('right after they were taken are free again, once', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const first = await stand.holding(ana, 0);
      stand.pass(CHANGE_OF_MIND_MS);
      accepted(await stand.release(ana, first.holdToken));
      const second = await stand.holding(ana, 0);
      accepted(await stand.release(ana, second.holdToken));
      expectRefused(await stand.hold(ana, 0), 'cooling-down', [0]);
    });

    it('[P7] rest longer each time in a row, up to a bound', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      for (const restMs of [1, 2, 4, 8, 16, 20, 20].map((times) => times * COOL_DOWN_MS)) {
        await handRound(stand, null, ana);
        expect(await stand.hold(ana, 0)).toMatchObject({ retryAfterMs: restMs });
        stand.pass(restMs);
      }
      expect(COOL_DOWN_MAX_MS).toBe(20 * COOL_DOWN_MS);
    });

    it('are seats like any other once nobody took them for long, or somebody else had them', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await handRound(stand, null, ana);
      await handRound(stand, null, ben);
      await handRound(stand, null, ana);
      expect(await stand.hold(ana, 0)).toMatchObject({ retryAfterMs: COOL_DOWN_MS });
      stand.pass(COOL_DOWN_MS + NOTE_KEPT_MS);
      await handRound(stand, null, ana);
      expect(await stand.hold(ana, 0)).toMatchObject({ retryAfterMs: COOL_DOWN_MS });
    });

    it('[P7] by one network in turn are left to others by all of it', async () => {
      const stand = await open();
      const names = ['ana', 'ben', 'cleo'];
      const [ana, ben, cleo] = await Promise.all(names.map((name) => stand.buyer(name)));
      await handRound(stand, HOME, ana!);
      await handRound(stand, HOME, ben!);
      expect(await holdFrom(stand, HOME, cleo!, 0)).toMatchObject({
        code: 'cooling-down',
        retryAfterMs: 2 * COOL_DOWN_MS,
      });
      accepted(await holdFrom(stand, OFFICE, cleo!, 0));
    });

    it('by two strangers without a network to count by are no round', async () => {
      const stand = await open();
      const [ana, ben, cleo] = [
        await stand.buyer('ana'),
        await stand.buyer('ben'),
        await stand.buyer('cleo'),
      ];
      await handRound(stand, null, ana);
      await handRound(stand, null, ben);
      await stand.holding(cleo, 0);
    });

    it('that were paid for and voided are nobody’s fault: they may be had again at once', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(CHANGE_OF_MIND_MS + 1);
      await stand.settle(stand.fate('voided', ana, frozen));
      await stand.holding(ana, 0);
    });
  });

  describe('seats held from one network', () => {
    /** Buyers of one network hold as many seats as they may. */
    async function full(): Promise<{ stand: SeatStand; ana: SessionId; ben: SessionId; hold: Hold }> {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hold = accepted(await holdFrom(stand, HOME, ana, 0, 1, 2, 3));
      accepted(await holdFrom(stand, HOME, ben, 4, 5));
      expect(SEATS_PER_NETWORK).toBe(6);
      return { stand, ana, ben, hold };
    }

    it('6.11 7.28 [P7] are bounded, also within one batch; other networks are not concerned', async () => {
      const { stand, ben } = await full();
      const cleo = await stand.buyer('cleo');
      expectRefused(await holdFrom(stand, HOME, ben, 6), 'network-limit');
      expectRefused(await holdFrom(stand, HOME, cleo, 6), 'network-limit');
      expect(
        ((await holdFrom(stand, HOME, cleo, 6)) as { retryAfterMs: number }).retryAfterMs,
      ).toBeGreaterThan(0);
      accepted(await holdFrom(stand, OFFICE, cleo, 6));
      await stand.holding(await stand.buyer('dora'), 7);

      const other = await open();
      const buyers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => other.buyer(name)));
      const batch = buyers.map((buyer, at) => ({ ...other.ask(buyer, 2 * at, 2 * at + 1), network: HOME }));
      const outcomes = await other.store.take(other.rules, batch);
      expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))).toEqual([
        'ok',
        'ok',
        'ok',
        'network-limit',
      ]);
    });

    it.each(['given back', 'run out', 'bought', 'lost'])('count no more when %s', async (way) => {
      const { stand, ana, ben, hold } = await full();
      if (way === 'given back') accepted(await stand.release(ana, hold.holdToken, 3));
      if (way === 'run out') {
        stand.pass(HOLD_LIFETIME_MS);
        await stand.expire();
      }
      if (way === 'bought') await stand.settle(stand.fate('sold', ana, await stand.paying(ana, hold)));
      if (way === 'lost') {
        const order = stand.fate('sold', ben, {
          ...hold,
          seats: [3],
          orderId: (await stand.paying(ana, hold)).orderId,
        });
        await stand.settle({ ...order, holdToken: hold.holdToken });
      }
      accepted(await holdFrom(stand, HOME, await stand.buyer('cleo'), 6));
    });

    it('that a buyer has already cost nothing to ask for again', async () => {
      const { stand, ana } = await full();
      accepted(await holdFrom(stand, HOME, ana, 0, 1));
    });

    it('[P7] a taken seat is told as taken first, whoever asks', async () => {
      const { stand, ana, ben } = await full();
      expectRefused(await holdFrom(stand, HOME, ben, 0), 'seat-taken', [0]);
      expectRefused(await holdFrom(stand, OFFICE, await stand.buyer('cleo'), 0), 'seat-taken', [0]);
      expect((await stand.holdOf(ana))?.seats).toEqual([0, 1, 2, 3]);
    });
  });
}

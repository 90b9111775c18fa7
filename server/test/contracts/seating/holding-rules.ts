import { seededRandom } from '@stampede/shared/platform/random.ts';
import { describe, expect, it } from 'vitest';
import type { SessionId } from '../../../src/platform/ids.ts';
import type { HoldStep } from '../../../src/seating/seat-steps.ts';
import {
  accepted,
  expectRefused,
  EXTENSIONS_MAX,
  HOLD_LIFETIME_MS,
  type OpenStand,
  priceOfAll,
  SEATS_PER_BUYER,
  ANY_REVISION,
} from './seat-stand.ts';

/** Taking seats. */
export function describeHolding(open: OpenStand): void {
  describe('hold', () => {
    it('gives free seats for one lifetime', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 2, 0);
      expect(hold).toEqual({
        holdToken: hold.holdToken,
        seats: [2, 0],
        amount: priceOfAll([0, 2]),
        expiresAt: stand.now + HOLD_LIFETIME_MS,
        extensionsLeft: EXTENSIONS_MAX,
        orderId: null,
        begunAt: 0,
        isAccepted: false,
        revision: stand.now,
      });
      expect(await stand.holdOf(ana)).toEqual(hold);
      expect(await stand.picture()).toBe('h.h.....');
    });

    it('takes all seats or none, and names those that stood in the way', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.holding(ana, 1, 2);
      expectRefused(await stand.hold(ben, 0, 1, 2, 3), 'seat-taken', [1, 2]);
      expect(await stand.holdOf(ben)).toBeNull();
      expect(await stand.picture()).toBe('.hh.....');
    });

    it('leaves an existing hold as it was when more seats are refused', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.holding(ana, 1);
      const hold = await stand.holding(ben, 0);
      expectRefused(await stand.hold(ben, 2, 1), 'seat-taken', [1]);
      expect(await stand.holdOf(ben)).toEqual(hold);
    });

    it('adds seats to the live hold, which keeps its token and deadline', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const first = await stand.holding(ana, 5);
      stand.pass(1_000);
      const more = await stand.holding(ana, 1);
      expect(more).toEqual({ ...first, revision: ANY_REVISION, seats: [5, 1], amount: priceOfAll([1, 5]) });
    });

    it('skips seats that are in the hold already', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0, 1, 2);
      expect(await stand.holding(ana, 1, 0)).toEqual(hold);
      expect((await stand.holding(ana, 2, 3, 0)).seats).toEqual([0, 1, 2, 3]);
    });

    it('counts a seat asked for twice once', async () => {
      const stand = await open();
      const hold = await stand.holding(await stand.buyer('ana'), 3, 3, 4, 3, 5, 4);
      expect(hold).toMatchObject({ seats: [3, 4, 5], amount: priceOfAll([3, 4, 5]) });
    });

    it('decides a batch in order, each request for itself', async () => {
      const stand = await open();
      const [ana, ben, eve] = [await stand.buyer('ana'), await stand.buyer('ben'), stand.stranger('eve')];
      const batch = [
        stand.ask(ana, 0, 1),
        stand.ask(ben, 1, 2),
        stand.ask(eve, 7),
        stand.ask(ben, 2),
        stand.ask(ana, 3),
      ];
      const outcomes = await stand.store.take(stand.rules, batch);
      expect(outcomes).toHaveLength(batch.length);
      expect(outcomes[0]).toMatchObject({ ok: true, value: { seats: [0, 1] } });
      expectRefused(outcomes[1], 'seat-taken', [1]);
      expectRefused(outcomes[2], 'not-admitted');
      expect(outcomes[3]).toMatchObject({ ok: true, value: { seats: [2] } });
      expect(outcomes[4]).toMatchObject({ ok: true, value: { seats: [0, 1, 3] } });
      expect(await stand.store.take(stand.rules, [])).toEqual([]);
    });

    it('hands out rising tokens, one per hold', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const first = await stand.holding(ana, 0);
      const second = await stand.holding(ben, 1);
      await stand.release(ana, first.holdToken);
      const third = await stand.holding(ana, 0);
      stand.pass(HOLD_LIFETIME_MS);
      const fourth = await stand.holding(ben, 2);
      const tokens = [first, second, third, fourth].map((hold) => hold.holdToken);
      expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    });

    it('keeps shows apart', async () => {
      const [one, other] = [await open(), await open()];
      await one.holding(await one.buyer('ana'), 0);
      await other.holding(await other.buyer('ben'), 0);
      expect(await other.holdOf(one.stranger('ana'))).toBeNull();
      expectRefused(await other.hold(one.stranger('ana'), 1), 'not-admitted');
    });
  });

  describe('hold, refusals', () => {
    it('refuses sessions that are not admitted', async () => {
      const stand = await open();
      expectRefused(await stand.hold(stand.stranger('eve'), 0), 'not-admitted');
      expect(await stand.picture()).toBe('........');
    });

    it('refuses from the deadline of the admission on, and leaves the hold alone', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana', stand.now + 1_000);
      stand.pass(999);
      const hold = await stand.holding(ana, 0);
      stand.pass(1);
      expectRefused(await stand.hold(ana, 1), 'not-admitted');
      expect(await stand.holdOf(ana)).toEqual(hold);
      accepted(await stand.extend(ana, hold.holdToken));
    });

    it('refuses seats that the show does not have, and names them', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const { seatCount } = stand.rules;
      expectRefused(await stand.hold(ana, 0, seatCount, -1, 70_000), 'seat-unknown', [seatCount, -1, 70_000]);
      expect(await stand.picture()).toBe('........');
    });

    it('refuses more seats than a buyer may hold, counting those held already', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      expect(SEATS_PER_BUYER).toBe(4);
      expectRefused(await stand.hold(ben, 0, 1, 2, 3, 4), 'limit-exceeded');
      const hold = await stand.holding(ana, 0, 1, 2);
      expectRefused(await stand.hold(ana, 3, 4), 'limit-exceeded');
      expect(await stand.holdOf(ana)).toEqual(hold);
      await stand.holding(ana, 3);
      expectRefused(await stand.hold(ana, 4), 'limit-exceeded');
    });

    it('counts seats bought in the limit', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const paid = await stand.paying(ana, await stand.holding(ana, 0, 1, 2));
      await stand.settle(stand.fate('sold', ana, paid));
      expectRefused(await stand.hold(ana, 3, 4), 'limit-exceeded');
      await stand.holding(ana, 3);
      expectRefused(await stand.hold(ana, 4), 'limit-exceeded');
    });

    it('refuses seats that are sold', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.settle(stand.fate('sold', ana, await stand.paying(ana, await stand.holding(ana, 4))));
      expectRefused(await stand.hold(ben, 4, 5), 'seat-taken', [4]);
      expectRefused(await stand.hold(ana, 4), 'seat-taken', [4]);
    });

    it('looks at admission, seats, checkout, limit and rivals in this order', async () => {
      const stand = await open();
      const [ana, ben, eve] = [await stand.buyer('ana'), await stand.buyer('ben'), stand.stranger('eve')];
      const unknown = stand.rules.seatCount;
      await stand.holding(ben, 7);
      const hold = await stand.holding(ana, 0);
      expectRefused(await stand.hold(eve, unknown), 'not-admitted');
      expectRefused(await stand.hold(ana, 1, 2, 3, 7), 'limit-exceeded');
      expectRefused(await stand.hold(ana, 7), 'seat-taken');
      await stand.paying(ana, hold);
      expectRefused(await stand.hold(ana, unknown), 'seat-unknown');
      expectRefused(await stand.hold(ana, 1, 2, 3, 7), 'in-checkout');
      expectRefused(await stand.hold(ana, 0), 'in-checkout');
    });
  });
}

/** Many hands on the same seats. */
export function describeRivals(open: OpenStand): void {
  describe('rivals', () => {
    it('[P1] two sessions, one seat: exactly one holds it', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const outcomes = await Promise.all([stand.hold(ana, 3), stand.hold(ben, 3)]);
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
      expectRefused(
        outcomes.find((outcome) => !outcome.ok),
        'seat-taken',
        [3],
      );
      const holds = await Promise.all([stand.holdOf(ana), stand.holdOf(ben)]);
      expect(holds.filter((hold) => hold !== null)).toHaveLength(1);
    });

    it('[P1] two sessions, one seat, one batch: the first holds it', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const batch = [stand.ask(ana, 3), stand.ask(ben, 3)];
      const [first, second] = await stand.store.take(stand.rules, batch);
      expect(accepted(first).seats).toEqual([3]);
      expectRefused(second, 'seat-taken', [3]);
    });

    it.each([
      ['one batch', 1],
      ['concurrent calls', 120],
      ['concurrent batches', 12],
    ])('[P1] overlapping sets in %s: winners share no seat, losers met one', async (_, calls) => {
      const seatCount = 40;
      const stand = await open({ seatCount });
      const random = seededRandom(calls);
      const requests: HoldStep[] = [];
      for (let index = 0; index < 120; index++) {
        const buyer = await stand.buyer(`buyer-${index}`);
        const from = Math.floor(random() * (seatCount - 6));
        const seats = [from, from + 1 + Math.floor(random() * 2), from + 3 + Math.floor(random() * 3)];
        requests.push(stand.ask(buyer, ...seats));
      }
      const share = requests.length / calls;
      const batches = Array.from({ length: calls }, (__, call) =>
        requests.slice(call * share, (call + 1) * share),
      );
      const answers = await Promise.all(batches.map((batch) => stand.store.take(stand.rules, batch)));
      const outcomes = answers.flat();

      const winnerOf = new Map<number, SessionId>();
      outcomes.forEach((outcome, index) => {
        if (!outcome.ok) return;
        for (const seat of requests[index]!.seats) {
          expect(winnerOf.has(seat)).toBe(false);
          winnerOf.set(seat, requests[index]!.session);
        }
      });
      for (const outcome of outcomes) {
        if (outcome.ok) continue;
        expect(outcome.code).toBe('seat-taken');
        expect(outcome.seats.length).toBeGreaterThan(0);
        for (const seat of outcome.seats) expect(winnerOf.has(seat)).toBe(true);
      }
      const picture = Array.from({ length: seatCount }, (__, seat) => (winnerOf.has(seat) ? 'h' : '.')).join(
        '',
      );
      expect(await stand.picture()).toBe(picture);
    });
  });
}

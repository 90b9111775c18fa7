import { describe, expect, it } from 'vitest';
import { accepted, expectRefused, type OpenStand, priceOfAll, ANY_REVISION } from './seat-stand.ts';

/** More than a store would put into one call. */
const CROWD = 260;

/** What many buyers ask for in one moment, for a store may put it together. */
export function describeAskingAtOnce(open: OpenStand): void {
  describe('asked at once', () => {
    it('[P6] each step is decided for itself, and one refusal is nobody else’s', async () => {
      const stand = await open();
      const [ana, ben, cleo] = [
        await stand.buyer('ana'),
        await stand.buyer('ben'),
        await stand.buyer('cleo'),
      ];
      const [dan, eve] = [await stand.buyer('dan'), await stand.buyer('eve')];
      const anas = await stand.holding(ana, 0, 1);
      const bens = await stand.holding(ben, 2, 3);
      const cleos = await stand.holding(cleo, 4);
      const dans = await stand.holding(dan, 5);
      const eves = await stand.holding(eve, 6);
      const reader = await stand.reader();
      stand.pass(1_000);
      const [paid, released, extended, foreign, underpaid, unknown, ended] = await Promise.all([
        stand.checkout(ana, anas),
        stand.release(ben, bens.holdToken, 2),
        stand.extend(cleo, cleos.holdToken),
        stand.release(dan, bens.holdToken),
        stand.checkout(eve, eves, { amount: eves.amount - 1 }),
        stand.release(eve, eves.holdToken, 7),
        stand.release(dan, dans.holdToken),
      ]);
      const frozen = accepted(paid).hold;
      expect(frozen).toMatchObject({ holdToken: anas.holdToken, seats: [0, 1], amount: anas.amount });
      const rest = accepted(released);
      expect(rest).toEqual({ ...bens, revision: ANY_REVISION, seats: [3], amount: priceOfAll([3]) });
      expect(accepted(extended)).toMatchObject({ expiresAt: cleos.expiresAt + 1_000 });
      expectRefused(foreign, 'hold-ended');
      expectRefused(underpaid, 'amount-changed');
      expectRefused(unknown, 'seat-unknown', [7]);
      expect(accepted(ended)).toEqual({
        holdToken: dans.holdToken,
        seats: [5],
        reason: 'released',
        revision: ANY_REVISION,
      });

      const everybody = [ana, ben, cleo, dan, eve];
      expect(await Promise.all(everybody.map((session) => stand.holdOf(session)))).toEqual([
        frozen,
        rest,
        accepted(extended),
        null,
        eves,
      ]);
      expect(await stand.picture()).toBe('hh.hh.h.');
      await stand.drain(reader);
      expect(everybody.map((session) => reader.noticesTo(session))).toEqual([
        [{ kind: 'hold', session: ana, hold: frozen }],
        [{ kind: 'hold', session: ben, hold: rest }],
        [{ kind: 'hold', session: cleo, hold: accepted(extended) }],
        [
          {
            kind: 'hold-ended',
            session: dan,
            holdToken: dans.holdToken,
            seats: [5],
            reason: 'released',
            revision: ANY_REVISION,
          },
        ],
        [],
      ]);
    });

    it('[P2] one tab pays and another gives back: one of them happens, and the other is told so', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0, 1);
      const [paid, released] = await Promise.all([
        stand.checkout(ana, hold),
        stand.release(ana, hold.holdToken),
      ]);
      if (paid.ok) {
        expectRefused(released, 'in-checkout');
        expect(await stand.holdOf(ana)).toEqual(paid.value.hold);
        expect(await stand.picture()).toBe('hh......');
      } else {
        expectRefused(paid, 'hold-ended');
        accepted(released);
        expect(await stand.holdOf(ana)).toBeNull();
        expect(await stand.picture()).toBe('........');
      }
    });

    it('[P6] everybody who looks for their hold finds their own', async () => {
      const stand = await open({ seatCount: 8 });
      const crowd = Array.from({ length: CROWD }, (_, index) => stand.stranger(`looker-${index}`));
      const early = await stand.buyer('looker-1');
      const late = await stand.buyer(`looker-${CROWD - 1}`);
      const holds = [await stand.holding(early, 0), await stand.holding(late, 1)];
      const found = await Promise.all(crowd.map((session) => stand.holdOf(session)));
      expect(found.flatMap((hold, index) => (hold ? [[crowd[index], hold]] : []))).toEqual([
        [early, holds[0]],
        [late, holds[1]],
      ]);
    });
  });
}

import { describe, expect, it } from 'vitest';
import { holdToken, sessionId, showId } from '../../../src/platform/ids.ts';
import type { SeatFacts, Settlement } from '../../../src/seating/seat-store.ts';
import {
  accepted,
  expectRefused,
  EXTENSIONS_MAX,
  HOLD_LIFETIME_MS,
  newOrderId,
  NO_FACTS,
  type OpenStand,
  PAYMENT_TIME_MS,
  priceOf,
  priceOfAll,
  type SeatStand,
} from './seat-stand.ts';

type PendingCheckout = SeatFacts['checkouts'][number];

const ANA = sessionId('ana'.padEnd(22, '-'));
const BEN = sessionId('ben'.padEnd(22, '-'));
/** Later than the tests' clock would make any by itself. */
const OLD_TOKEN = holdToken(2 ** 45);
const BEGUN_AT = 1_699_999_990_000;
const KEEP_UNTIL = 1_700_000_000_000 + PAYMENT_TIME_MS;

function pending(seats: readonly number[], more: Partial<PendingCheckout> = {}): PendingCheckout {
  return {
    session: ANA,
    holdToken: OLD_TOKEN,
    orderId: newOrderId(),
    idempotencyKey: 'key-one-',
    seats,
    prices: seats.map(priceOf),
    amount: priceOfAll(seats),
    begunAt: BEGUN_AT,
    keepUntil: KEEP_UNTIL,
    ...more,
  };
}

function fate(stand: SeatStand, kind: Settlement['kind'], checkout: PendingCheckout): Settlement {
  return stand.fate(kind, checkout.session, checkout);
}

/** Setting a show up from what the database and the payment log know. */
export function describeOpening(open: OpenStand): void {
  describe('open', () => {
    it('a new show: every seat is available', async () => {
      const stand = await open();
      expect(await stand.picture()).toBe('........');
      expect(await stand.store.isOpen(stand.rules.show)).toBe(true);
      expect(await stand.store.isOpen(showId(stand.rules.show + 500_000))).toBe(false);
    });

    it('[P1] seats sold stay sold, and count in their buyer’s limit', async () => {
      const sold = [5, 6, 7].map((seat) => ({ seat, session: ANA }));
      const stand = await open({ facts: { ...NO_FACTS, sold } });
      expect(await stand.picture()).toBe('.....SSS');
      await stand.buyer('ana');
      expectRefused(await stand.hold(await stand.buyer('ben'), 4, 5), 'seat-taken', [5]);
      expectRefused(await stand.hold(ANA, 0, 1), 'limit-exceeded');
      await stand.holding(ANA, 0);
    });

    it('[P2] holds that are being paid for stay frozen', async () => {
      const checkout = pending([1, 0]);
      const stand = await open({ facts: { ...NO_FACTS, checkouts: [checkout] } });
      const ana = await stand.buyer('ana');
      const hold = await stand.holdOf(ana);
      expect(hold).toEqual({
        holdToken: OLD_TOKEN,
        seats: [1, 0],
        amount: checkout.amount,
        expiresAt: KEEP_UNTIL,
        extensionsLeft: EXTENSIONS_MAX,
        orderId: checkout.orderId,
        begunAt: BEGUN_AT,
        isAccepted: true,
        revision: stand.now,
      });
      expect(await stand.picture()).toBe('hh......');
      expectRefused(await stand.hold(await stand.buyer('ben'), 0), 'seat-taken');
      expectRefused(await stand.hold(ana, 2), 'in-checkout');
      expect(accepted(await stand.checkout(ana, hold!))).toEqual({
        hold,
        begunAt: BEGUN_AT,
        repeated: true,
      });
      expectRefused(await stand.checkout(ana, hold!, { amount: 1 }), 'idempotency-mismatch');
    });

    it('[P2] sold, after all', async () => {
      const checkout = pending([0, 1]);
      const stand = await open({ facts: { ...NO_FACTS, checkouts: [checkout] } });
      await stand.settle(fate(stand, 'sold', checkout));
      expect(await stand.picture()).toBe('SS......');
      expect(await stand.holdOf(ANA)).toBeNull();
    });

    it('[P2] voided, after all', async () => {
      const checkout = pending([0, 1]);
      const stand = await open({ facts: { ...NO_FACTS, checkouts: [checkout] } });
      await stand.settle(fate(stand, 'voided', checkout));
      expect(await stand.picture()).toBe('........');
      expect(await stand.holdOf(ANA)).toBeNull();
    });

    it('[P2] declined, after all: the hold is the buyer’s for one lifetime, at its price', async () => {
      const checkout = pending([0, 1]);
      const stand = await open({ facts: { ...NO_FACTS, checkouts: [checkout] } });
      stand.pass(1_000);
      await stand.settle(fate(stand, 'returned', checkout));
      const hold = await stand.holdOf(ANA);
      expect(hold).toMatchObject({
        seats: [0, 1],
        amount: checkout.amount,
        expiresAt: stand.now + HOLD_LIFETIME_MS,
        orderId: null,
      });
      const rest = accepted(await stand.release(ANA, hold!.holdToken, 1));
      expect(rest).toMatchObject({ seats: [0], amount: priceOf(0) });
      await stand.paying(ANA, { ...hold!, amount: priceOf(0) }, { idempotencyKey: 'key-two-' });
    });

    it('[P3] a restored checkout is over in its time', async () => {
      const stand = await open({ facts: { ...NO_FACTS, checkouts: [pending([0])] } });
      stand.pass(PAYMENT_TIME_MS);
      expect(await stand.holdOf(ANA)).toBeNull();
      expect(await stand.expire()).toBe(1);
      expect(await stand.picture()).toBe('........');
    });

    it('[P3] a checkout whose time was up before is not kept, a later one of the buyer is', async () => {
      const late = pending([0], { holdToken: holdToken(9), keepUntil: 1_700_000_000_000 });
      const live = pending([1], { idempotencyKey: 'key-two-' });
      for (const checkouts of [
        [late, live],
        [live, late],
      ]) {
        const stand = await open({ facts: { ...NO_FACTS, checkouts } });
        expect(await stand.holdOf(ANA)).toMatchObject({ seats: [1], orderId: live.orderId });
        await stand.holding(await stand.buyer('ben'), 0);
        expectRefused(await stand.hold(await stand.buyer('ana'), 2), 'in-checkout');
      }
    });

    it('[P3] of two checkouts at once one is kept, and the seats of neither for good', async () => {
      const checkouts = [pending([0, 1]), pending([2], { idempotencyKey: 'key-two-' })];
      const stand = await open({ facts: { ...NO_FACTS, checkouts } });
      const hold = await stand.holdOf(ANA);
      const kept = checkouts.find((one) => one.orderId === hold?.orderId);
      expect(hold?.seats).toEqual(kept?.seats);
      await stand.settle(...checkouts.map((one) => fate(stand, one === kept ? 'sold' : 'returned', one)));
      stand.pass(PAYMENT_TIME_MS);
      await stand.expire();
      expect(await stand.picture()).toBe(kept === checkouts[0] ? 'SS......' : '..S.....');
    });

    it('[P1] a checkout whose seats were sold meanwhile keeps none of them', async () => {
      const facts = { sold: [{ seat: 1, session: BEN }], checkouts: [pending([1, 2])] };
      const stand = await open({ facts });
      expect(await stand.picture()).toBe('.S......');
      expect(await stand.holdOf(ANA)).toBeNull();
    });

    it('hands out tokens above those it was told of', async () => {
      const gone = pending([3], { holdToken: holdToken(OLD_TOKEN + 5), keepUntil: 0, session: BEN });
      const stand = await open({ facts: { ...NO_FACTS, checkouts: [pending([0]), gone] } });
      const hold = await stand.holding(await stand.buyer('cleo'), 2);
      expect(hold.holdToken).toBeGreaterThan(OLD_TOKEN + 5);
    });

    it('with a history changes nothing, whatever it is told', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const before = await stand.peek();
      const facts = { sold: [{ seat: 0, session: BEN }], checkouts: [pending([4])] };
      await stand.store.open(stand.rules, facts);
      const after = await stand.peek();
      expect(after).toMatchObject({
        epoch: before.epoch,
        statuses: before.statuses,
        sequences: before.sequences,
      });
      expect(await stand.holdOf(ana)).toEqual(hold);
    });

    it('twice at once is once', async () => {
      const stand = await open();
      const facts = { sold: [{ seat: 0, session: BEN }], checkouts: [] };
      await Promise.all([stand.store.open(stand.rules, facts), stand.store.open(stand.rules, facts)]);
      expect(await stand.picture()).toBe('........');
    });
  });
}

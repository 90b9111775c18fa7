import { describe, expect, it } from 'vitest';
import { CHECKOUT_CARE } from '../../../src/seating/seat-store.ts';
import { accepted, expectRefused, HOLD_LIFETIME_MS, type OpenStand, PAYMENT_TIME_MS } from './seat-stand.ts';

const { handedOverWithinMs, againMs, settledWithinMs } = CHECKOUT_CARE;

/** From the freeze of a hold until the payment log has its request, and whoever finds that it has not. */
export function describeHandingOver(open: OpenStand): void {
  describe('acceptCheckout', () => {
    it('[P2] marks the checkout once, and tells so', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const reader = await stand.reader();
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      expect(frozen.isAccepted).toBe(false);
      await stand.accept(ana, frozen.orderId);
      await stand.accept(ana, frozen.orderId);
      const marked = { ...frozen, isAccepted: true, revision: frozen.revision + 1 };
      expect(await stand.holdOf(ana)).toEqual(marked);
      expect(accepted(await stand.checkout(ana, frozen)).hold).toEqual(marked);
      await stand.drain(reader);
      expect(reader.noticesTo(ana).slice(1)).toEqual([
        { kind: 'hold', session: ana, hold: frozen },
        { kind: 'hold', session: ana, hold: marked },
      ]);
    });

    it('[P6] changes nothing for another session, another order, or a hold that is gone', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      const bens = await stand.holding(ben, 1);
      await stand.accept(ben, frozen.orderId);
      expect(await stand.holdOf(ana)).toEqual(frozen);
      expect(await stand.holdOf(ben)).toEqual(bens);
      stand.pass(PAYMENT_TIME_MS);
      await stand.accept(ana, frozen.orderId);
      expect(await stand.holdOf(ana)).toBeNull();
    });
  });

  describe('overdueCheckouts', () => {
    it('[P2] gives out what is not accepted in time, with all that a payment request needs', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hers = await stand.paying(ana, await stand.holding(ana, 1, 0), { idempotencyKey: 'key-of-ana' });
      const begunAt = stand.now;
      const his = await stand.paying(ben, await stand.holding(ben, 2));
      await stand.accept(ben, his.orderId);
      stand.pass(handedOverWithinMs - 1);
      expect(await stand.overdue()).toEqual([]);
      stand.pass(1);
      const { holdToken, orderId, amount } = hers;
      expect(await stand.store.overdueCheckouts(stand.rules)).toEqual([
        expect.objectContaining({
          ...{ holdToken, orderId, amount, begunAt, session: ana },
          ...{ idempotencyKey: 'key-of-ana', seats: [1, 0] },
        }),
      ]);
    });

    it('[P2] gives it out again, to whichever node asks, until it is settled, its hold live or gone', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(handedOverWithinMs);
      expect(await stand.overdue()).toEqual([frozen.orderId]);
      expect(await stand.overdue()).toEqual([]);
      stand.pass(againMs);
      expect(await stand.overdue()).toEqual([frozen.orderId]);
      stand.pass(PAYMENT_TIME_MS);
      await stand.expire();
      await stand.holding(await stand.buyer('ben'), 0);
      expect(await stand.overdue()).toEqual([frozen.orderId]);
      await stand.settle(stand.fate('voided', ana, frozen));
      stand.pass(settledWithinMs);
      expect(await stand.overdue()).toEqual([]);
    });

    it('[P2] gives out what was accepted only if it stays without an outcome for long', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      await stand.accept(ana, frozen.orderId);
      stand.pass(settledWithinMs - 1);
      expect(await stand.overdue()).toEqual([]);
      stand.pass(1);
      expect(await stand.overdue()).toEqual([frozen.orderId]);
    });

    it('[P2] knows what is begun anew with its key in the moment in which it is given up', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const { orderId } = await stand.paying(ana, hold);
      const [, anew] = await Promise.all([
        stand.abandon(ana, orderId),
        stand.checkout(ana, hold, { orderId }),
      ]);
      expect(accepted(anew).repeated).toBe(false);
      stand.pass(handedOverWithinMs);
      expect(await stand.overdue()).toEqual([orderId]);
    });

    it('knows nothing of what was abandoned or settled', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.abandon(ana, (await stand.paying(ana, await stand.holding(ana, 0))).orderId);
      const his = await stand.paying(ben, await stand.holding(ben, 1));
      await stand.settle(stand.fate('returned', ben, his));
      stand.pass(settledWithinMs);
      expect(await stand.overdue()).toEqual([]);
    });
  });

  describe('abandonCheckout of what somebody else may have handed over', () => {
    it.each(['repeated', 'given out as overdue', 'accepted'])('[P2] leaves it: %s', async (how) => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const { orderId } = await stand.paying(ana, hold);
      if (how === 'repeated') accepted(await stand.checkout(ana, hold));
      stand.pass(handedOverWithinMs);
      if (how === 'given out as overdue') expect(await stand.overdue()).toEqual([orderId]);
      if (how === 'accepted') await stand.accept(ana, orderId);
      await stand.abandon(ana, orderId);
      expect(await stand.holdOf(ana)).toMatchObject({ orderId });
      expectRefused(await stand.release(ana, hold.holdToken), 'in-checkout');
    });
  });

  describe('a key whose order is not settled yet', () => {
    it('6.7 is refused for another hold', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const { orderId } = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(PAYMENT_TIME_MS);
      const next = await stand.holding(ana, 1);
      expectRefused(await stand.checkout(ana, next, { orderId }), 'idempotency-mismatch');
      expect(await stand.holdOf(ana)).toEqual(next);
      await stand.paying(ana, next, { idempotencyKey: 'key-two-' });
    });
  });

  describe('revision', () => {
    it('6.3 rises with every change of a hold and with its end, also when no time passes', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const reader = await stand.reader();
      const { holdToken } = await stand.holding(ana, 0);
      await stand.holding(ana, 1, 2);
      accepted(await stand.extend(ana, holdToken));
      const rest = accepted(await stand.release(ana, holdToken, 1));
      const frozen = await stand.paying(ana, (await stand.holdOf(ana))!);
      await stand.settle(stand.fate('returned', ana, frozen));
      stand.pass(HOLD_LIFETIME_MS);
      await stand.expire();
      await stand.drain(reader);
      const told = reader.noticesTo(ana).flatMap((one) => {
        if (one.kind === 'hold') return [one.hold.revision];
        return one.kind === 'hold-ended' ? [one.revision] : [];
      });
      expect(told).toHaveLength(7);
      expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b));
      expect(told).toContain(rest.revision);
      expect(told.at(-1)).toBeGreaterThanOrEqual(stand.now);
    });
  });
}

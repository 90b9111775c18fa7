import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import { describe, expect, it } from 'vitest';
import {
  accepted,
  expectRefused,
  HOLD_LIFETIME_MS,
  newOrderId,
  type OpenStand,
  PAYMENT_TIME_MS,
  priceOfAll,
  ANY_REVISION,
} from './seat-stand.ts';

/** Freezing a hold for payment, and thawing it when the payment never began. */
export function describeCheckout(open: OpenStand): void {
  describe('beginCheckout', () => {
    it('freezes the hold and keeps it past its old deadline', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0, 1);
      const order = newOrderId();
      const begunAt = stand.now;
      const checkout = accepted(await stand.checkout(ana, hold, { orderId: order }));
      expect(checkout).toEqual({
        hold: {
          ...hold,
          revision: ANY_REVISION,
          expiresAt: begunAt + PAYMENT_TIME_MS,
          orderId: order,
          begunAt,
        },
        begunAt,
        repeated: false,
      });
      expect(await stand.holdOf(ana)).toEqual(checkout.hold);

      stand.pass(HOLD_LIFETIME_MS);
      expect(await stand.expire()).toBe(0);
      expectRefused(await stand.hold(ana, 2), 'in-checkout');
      expectRefused(await stand.extend(ana, hold.holdToken), 'in-checkout');
      expectRefused(await stand.release(ana, hold.holdToken), 'in-checkout');
      expectRefused(await stand.hold(await stand.buyer('ben'), 0), 'seat-taken');
      expect(await stand.holdOf(ana)).toEqual(checkout.hold);
    });

    it('never shortens a hold', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const frozen = await stand.paying(ana, hold, { keepMs: 1_000 });
      expect(frozen.expiresAt).toBe(hold.expiresAt);
    });

    it.each(['swept', 'unswept'])('[P3] a frozen hold is gone when its time is up, %s', async (sweeping) => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(PAYMENT_TIME_MS);
      if (sweeping === 'swept') expect(await stand.expire()).toBe(1);
      expect(await stand.holdOf(ana)).toBeNull();
      expectRefused(await stand.checkout(ana, frozen), 'hold-ended');
      await stand.holding(ben, 0);
      await stand.holding(ana, 1);
    });

    it('7.18 refuses a sum that is not the price of the seats, and freezes nothing', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0, 1);
      expectRefused(await stand.checkout(ana, hold, { amount: hold.amount - 1 }), 'amount-changed');
      expect(await stand.holdOf(ana)).toEqual(hold);
      accepted(await stand.release(ana, hold.holdToken, 1));
      expectRefused(await stand.checkout(ana, hold), 'amount-changed');
      await stand.paying(ana, hold, { amount: priceOfAll([0]) });
    });

    it('[P6] refuses stale, unknown and foreign tokens', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const stale = await stand.holding(ana, 0);
      await stand.release(ana, stale.holdToken);
      const hold = await stand.holding(ana, 0);
      expectRefused(await stand.checkout(ana, stale), 'hold-ended');
      expectRefused(await stand.checkout(ben, hold), 'hold-ended');
      expect(await stand.holdOf(ana)).toEqual(hold);
      const frozen = await stand.paying(ana, hold);
      expectRefused(await stand.checkout(ben, frozen), 'hold-ended');
      expectRefused(await stand.checkout(ana, stale), 'hold-ended');
    });

    it('looks at the key before the freeze and at the freeze before the sum', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      await stand.paying(ana, hold);
      expectRefused(await stand.checkout(ana, hold, { amount: 1 }), 'idempotency-mismatch');
      expectRefused(
        await stand.checkout(ana, hold, { amount: 1, idempotencyKey: 'key-two-' }),
        'in-checkout',
      );
    });
  });

  describe('payments of one hold', () => {
    it('[P3][P7] are bounded: a card that is declined again and again does not keep seats for ever', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      for (let payment = 1; payment <= CHECKOUTS_PER_HOLD_MAX; payment++) {
        const frozen = await stand.paying(ana, hold, { idempotencyKey: `payment-${String(payment)}` });
        await stand.settle(stand.fate('returned', ana, frozen));
      }
      expectRefused(await stand.checkout(ana, hold, { idempotencyKey: 'one-more' }), 'limit-exceeded');
      const repeated = await stand.checkout(ana, hold, { idempotencyKey: 'payment-1' });
      expect(accepted(repeated).repeated).toBe(true);
      expect(await stand.holdOf(ana)).toMatchObject({ orderId: null });
      stand.pass(HOLD_LIFETIME_MS);
      expect(await stand.holdOf(ana)).toBeNull();
    });

    it('[P7] that the payment log refused do not count', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      for (let payment = 0; payment <= CHECKOUTS_PER_HOLD_MAX; payment++) {
        const frozen = await stand.paying(ana, hold);
        await stand.abandon(ana, frozen.orderId);
      }
      await stand.paying(ana, hold);
    });
  });

  describe('idempotency key', () => {
    it('[P2] repeated: the stored order is returned and nothing changes', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const begunAt = stand.now;
      const frozen = await stand.paying(ana, hold);
      stand.pass(1_000);
      const again = accepted(await stand.checkout(ana, hold));
      expect(again).toEqual({ hold: frozen, begunAt, repeated: true });
      expect(await stand.holdOf(ana)).toEqual(frozen);
    });

    it('[P2] two tabs press pay at once: one order', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const both = (await Promise.all([stand.checkout(ana, hold), stand.checkout(ana, hold)])).map(accepted);
      expect(both.map((one) => one.repeated).sort()).toEqual([false, true]);
      expect(both[0]?.hold.orderId).toBe(both[1]?.hold.orderId);
    });

    it('7.16 7.19 with another sum: idempotency-mismatch; another key for the same hold: in-checkout', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const frozen = await stand.paying(ana, hold);
      expectRefused(await stand.checkout(ana, hold, { amount: hold.amount + 1 }), 'idempotency-mismatch');
      expectRefused(await stand.checkout(ana, hold, { idempotencyKey: 'key-two-' }), 'in-checkout');
      expect(await stand.holdOf(ana)).toEqual(frozen);
    });

    it('[P6] belongs to its session: somebody else may use the same', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const hers = await stand.paying(ana, await stand.holding(ana, 0));
      const his = accepted(await stand.checkout(ben, await stand.holding(ben, 1)));
      expect(his.repeated).toBe(false);
      expect(his.hold.orderId).not.toBe(hers.orderId);
    });

    it('of a refused checkout is not used up', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      expectRefused(await stand.checkout(ana, hold, { amount: 1 }), 'amount-changed');
      expect(accepted(await stand.checkout(ana, hold)).repeated).toBe(false);
    });

    it('of a declined order still finds it; a new key tries again', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const first = await stand.paying(ana, hold);
      await stand.settle(stand.fate('returned', ana, first));
      expect(accepted(await stand.checkout(ana, hold))).toMatchObject({
        hold: { orderId: first.orderId },
        repeated: true,
      });
      expect((await stand.holdOf(ana))?.orderId).toBeNull();
      const second = accepted(await stand.checkout(ana, hold, { idempotencyKey: 'key-two-' }));
      expect(second.repeated).toBe(false);
      expect(second.hold.orderId).not.toBe(first.orderId);
    });
  });

  describe('abandonCheckout', () => {
    it('gives the hold the time it had left, and the key may be used anew', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      stand.pass(HOLD_LIFETIME_MS - 5_000);
      const frozen = await stand.paying(ana, hold);
      stand.pass(60_000);
      await stand.abandon(ana, frozen.orderId);
      const thawed = { ...hold, revision: ANY_REVISION, expiresAt: stand.now + 5_000 };
      expect(await stand.holdOf(ana)).toEqual(thawed);
      const again = accepted(await stand.checkout(ana, hold));
      expect(again.repeated).toBe(false);
      expect(again.hold.orderId).not.toBe(frozen.orderId);
    });

    it('[P6] does nothing for other orders and other sessions', async () => {
      const stand = await open();
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      await stand.abandon(ana, newOrderId());
      await stand.abandon(ben, frozen.orderId);
      expect(await stand.holdOf(ana)).toEqual(frozen);
    });

    it('twice is once: a checkout begun in between stays', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 0);
      const first = await stand.paying(ana, hold);
      await stand.abandon(ana, first.orderId);
      const second = await stand.paying(ana, hold);
      stand.pass(1_000);
      await stand.abandon(ana, first.orderId);
      expect(await stand.holdOf(ana)).toEqual(second);
    });

    it('[P3] does not bring back a hold whose time was up', async () => {
      const stand = await open();
      const ana = await stand.buyer('ana');
      const frozen = await stand.paying(ana, await stand.holding(ana, 0));
      stand.pass(PAYMENT_TIME_MS);
      await stand.abandon(ana, frozen.orderId);
      expect(await stand.holdOf(ana)).toBeNull();
      await stand.holding(await stand.buyer('ben'), 0);
    });
  });
}

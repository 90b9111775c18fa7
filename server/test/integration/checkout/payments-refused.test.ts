import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PaymentRequest } from '../../../src/payment-log/payment-log.ts';
import { CheckoutHouse, show } from './checkout-house.ts';

describe('payments that may not be made', () => {
  let house: CheckoutHouse;
  beforeEach(async () => {
    house = await CheckoutHouse.open();
  });
  afterEach(() => house.close());

  it('[P2] of another sum than the seats cost: voided, nothing charged, the seats on sale', async () => {
    const { log } = house;
    house.beginCheckout = house.checkoutThrough({
      append: (requests) => log.append(requests.map((request) => ({ ...request, amount: 1 }))),
      consume: (handler) => log.consume(handler),
      pending: (id) => log.pending(id),
      deadLetters: async () => [],
      replay: async () => 0,
    });
    const hold = await house.hold('ana', [0]);
    const order = await house.accepted(hold);
    await house.worker.start();
    expect(await house.outcome(hold.session, order.id)).toMatchObject({
      status: 'voided',
      reason: 'amount-changed',
    });
    expect(house.gateway.calls).not.toContain('authorize');
    await house.hold('ben', [0]);
  });

  it('[P2] that another process has voided: not charged, and the buyer is told', async () => {
    const hold = await house.hold('ana', [0]);
    const order = await house.accepted(hold);
    const [request] = await house.log.pending(show.id);
    const voided = house.gateway.void(request!);
    house.clock.advance(1);
    await voided;
    await house.worker.start();
    expect(await house.outcome(hold.session, order.id)).toMatchObject({ status: 'voided' });
    expect(house.gateway.charged).toEqual(new Set());
    expect(house.gateway.calls).not.toContain('capture');
  });

  it('[P2] whose reference no database could keep: voided by the order, nothing charged', async () => {
    house.gateway.reference = () => 'pay\0\ud83c';
    const hold = await house.hold('ana', [0]);
    const order = await house.accepted(hold);
    await house.worker.start();
    expect(await house.outcome(hold.session, order.id)).toMatchObject({ status: 'voided' });
    expect(house.gateway.charged).toEqual(new Set());
    await house.until(() => house.gateway.calls.includes('void'));
  });

  it('[P2] that the database will not have: the others are settled, and it ends voided and told', async () => {
    const bad = await house.hold('ana', [0]);
    const order = await house.accepted(bad);
    const settle = house.orders.settle.bind(house.orders);
    house.orders.settle = (verdicts, now) => {
      // As with a text that no statement can hold: the key, here.
      const isRefused = verdicts.some(
        ({ request }) => request.orderId === order.id && request.idempotencyKey !== order.id,
      );
      return isRefused ? Promise.reject(new Error('not this one')) : settle(verdicts, now);
    };
    await house.worker.start();
    const others: string[] = [];
    await house.until(async () => {
      if (others.length < 39 && house.told(bad.session).length === 0) {
        const hold = await house.hold(`buyer-${String(others.length)}`, [others.length + 1]);
        others.push((await house.accepted(hold, `key-${String(others.length)}-abc`)).id);
        house.clock.advance(4_000);
      }
      return house.told(bad.session).length > 0;
    });
    expect(await house.outcome(bad.session, order.id)).toMatchObject({
      status: 'voided',
      reason: 'payment-failed',
    });
    await house.until(() => !house.gateway.charged.has(order.id));
    await house.until(async () => {
      const ended = await house.orders.byIds(others as PaymentRequest['orderId'][]);
      return ended.length === others.length && ended.every(({ status }) => status === 'confirmed');
    });
    await house.until(async () => (await house.log.pending(show.id)).length === 0);
  });
});

import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { orderId } from '../../../src/platform/ids.ts';
import { AppendRefusedError, type PaymentLog } from '../../../src/payment-log/payment-log.ts';
import { confirmed, paymentRequest } from '../../contracts/payment-requests.ts';
import { CheckoutHouse, rules, show } from './checkout-house.ts';

describe('checkout', () => {
  let house: CheckoutHouse;
  beforeEach(async () => {
    house = await CheckoutHouse.open();
  });
  afterEach(() => house.close());

  const liveHold = (session: Parameters<CheckoutHouse['told']>[0]) => house.seats.holdOf(show.id, session);

  it('[P2] a purchase: accepted at once, then tickets, SOLD for everybody, the admission freed', async () => {
    await house.worker.start();
    const anna = await house.hold('anna', [3, 4]);
    const accepted = await house.accepted(anna);
    expect(accepted).toMatchObject({
      show: show.id,
      status: 'processing',
      seats: [3, 4],
      amount: 2_000,
      currency: 'EUR',
      createdAt: house.clock.now(),
      tickets: [],
    });
    expect(await house.list(anna.session)).toEqual([accepted]);

    const outcome = await house.outcome(anna.session, accepted.id);
    expect(outcome).toMatchObject({ ...accepted, status: 'confirmed', tickets: outcome.tickets });
    expect(outcome.tickets).toHaveLength(2);
    expect(new Set(outcome.tickets).size).toBe(2);
    for (const code of outcome.tickets) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(house.changes.slice(-2)).toEqual([
      { seat: 3, status: SOLD },
      { seat: 4, status: SOLD },
    ]);
    expect(await house.list(anna.session)).toEqual([outcome]);
    await house.until(() => house.finished.length > 0);
    expect(house.finished).toEqual([anna.session]);
    await house.until(async () => (await house.orders.pendingOutbox(10, 0)).length === 0);
    await house.until(async () => (await house.log.pending(show.id)).length === 0);
    expect(house.gateway.calls).toEqual(['authorize', 'capture']);
    expect(house.reports).toEqual([]);
  });

  it('[P2] a declined payment: the buyer hears why, keeps the seats and the time, and pays again', async () => {
    house.gateway.script.push('no');
    await house.worker.start();
    const anna = await house.hold('anna', [3]);
    const first = await house.accepted(anna, 'intent-1');
    const declined = await house.outcome(anna.session, first.id);
    expect(declined).toMatchObject({ status: 'declined', reason: 'card-declined', tickets: [] });
    expect(await liveHold(anna.session)).toMatchObject({ seats: [3], orderId: null });
    expect(house.finished).toEqual([]);

    const second = await house.accepted(anna, 'intent-2');
    expect(await house.outcome(anna.session, second.id)).toMatchObject({ status: 'confirmed' });
    expect((await house.list(anna.session)).map((order) => order.status)).toEqual(['confirmed', 'declined']);
  });

  it('[P6] orders are listed to their session alone', async () => {
    await house.accepted(await house.hold('anna', [3]));
    const bert = await house.hold('bert', [4]);
    expect(await house.list(bert.session)).toEqual([]);
  });

  it('[P7] a slow bank holds up nobody else', async () => {
    house.gateway.script.push('never', 'yes');
    await house.worker.start();
    const [anna, bert] = [await house.hold('anna', [3]), await house.hold('bert', [4])];
    const [slow, quick] = await Promise.all([house.accepted(anna), house.accepted(bert)]);
    await house.outcome(bert.session, quick.id);
    expect(house.told(anna.session)).toEqual([]);
    expect(await house.outcome(anna.session, slow.id)).toMatchObject({ status: 'confirmed' });
  });

  describe('a key that comes again', () => {
    it('[P2] while the payment runs: the same order, paid once', async () => {
      const anna = await house.hold('anna', [3]);
      const first = await house.accepted(anna);
      house.clock.advance(5_000);
      expect(await house.accepted(anna)).toEqual(first);
      expect(await house.log.pending(show.id)).toHaveLength(1);
      await house.worker.start();
      await house.outcome(anna.session, first.id);
      expect(house.gateway.calls).toEqual(['authorize', 'capture']);
    });

    it('[P2] from two tabs at once: one order', async () => {
      const anna = await house.hold('anna', [3]);
      const [one, two] = await Promise.all([house.accepted(anna), house.accepted(anna)]);
      expect(one).toEqual(two);
      expect(await house.log.pending(show.id)).toHaveLength(1);
    });

    it('[P2] after the tickets are there: the order as it ended', async () => {
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      const outcome = await house.outcome(anna.session, id);
      expect(await house.accepted(anna)).toEqual(outcome);
    });

    it('[P2] after a decline: the order as it ended, and no new charge', async () => {
      house.gateway.script.push('no');
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      const outcome = await house.outcome(anna.session, id);
      expect(await house.accepted(anna)).toEqual(outcome);
      expect(house.gateway.calls).toEqual(['authorize']);
    });

    it('with other content: refused, whether the order runs or has ended', async () => {
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      expect(await house.pay({ ...anna, amount: 1 })).toMatchObject({ code: 'idempotency-mismatch' });
      await house.worker.start();
      await house.outcome(anna.session, id);
      expect(await house.pay({ ...anna, amount: 1 })).toMatchObject({ code: 'idempotency-mismatch' });
    });

    it('[P6] of another session: means nothing', async () => {
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      await house.outcome(anna.session, id);
      const bert = await house.hold('bert', [4]);
      expect(await house.pay({ ...anna, session: bert.session })).toMatchObject({ code: 'hold-ended' });
    });
  });

  describe('a payment log in trouble', () => {
    const failing = (append: PaymentLog['append']): PaymentLog => ({
      append,
      consume: async () => async () => undefined,
      pending: async () => [],
      deadLetters: async () => [],
      replay: async () => 0,
    });

    it('[P3] that refuses: the buyer hears busy and has the hold back', async () => {
      house.beginCheckout = house.checkoutThrough(
        failing(() => Promise.reject(new AppendRefusedError('disk full'))),
      );
      const anna = await house.hold('anna', [3]);
      expect(await house.pay(anna)).toMatchObject({ ok: false, code: 'busy', retryAfterMs: 2_000 });
      expect(await liveHold(anna.session)).toMatchObject({ orderId: null, expiresAt: anna.expiresAt });
      house.beginCheckout = house.checkoutThrough(house.log);
      await house.worker.start();
      const { id } = await house.accepted(anna);
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
    });

    it('[P2] whose answer is lost: the hold stays frozen, for the payment may be under way', async () => {
      house.beginCheckout = house.checkoutThrough(
        failing(async (requests) => {
          await house.log.append(requests);
          throw new Error('connection reset');
        }),
      );
      const anna = await house.hold('anna', [3]);
      expect(await house.pay(anna)).toMatchObject({ code: 'busy', retryAfterMs: 2_000 });
      const frozen = await liveHold(anna.session);
      expect(frozen?.orderId).not.toBeNull();
      await house.worker.start();
      const outcome = await house.outcome(anna.session, frozen?.orderId ?? '');
      expect(outcome).toMatchObject({ status: 'confirmed' });
      expect(await house.accepted(anna)).toEqual(outcome);
    });

    it('[P2] that never answers: busy in time, and the same key again is accepted and paid once', async () => {
      house.beginCheckout = house.checkoutThrough(failing(() => new Promise(() => undefined)));
      const anna = await house.hold('anna', [3]);
      let told = false;
      const asked = house.pay(anna).finally(() => (told = true));
      await house.until(() => told);
      expect(await asked).toMatchObject({ code: 'busy' });
      const frozen = await liveHold(anna.session);
      house.beginCheckout = house.checkoutThrough(house.log);
      const order = await house.accepted(anna);
      expect(order.id).toBe(frozen?.orderId);
      await house.worker.start();
      expect(await house.outcome(anna.session, order.id)).toMatchObject({ status: 'confirmed' });
      expect(house.gateway.calls).toEqual(['authorize', 'capture']);
    });
  });

  describe('a payment gateway in trouble', () => {
    it('[P2] failing now and then: asked again until it answers, charged once', async () => {
      house.gateway.script.push('fails before', 'never', 'yes', 'fails after', 'yes');
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
      expect(house.gateway.calls).toEqual(['authorize', 'authorize', 'authorize', 'capture', 'capture']);
      expect(house.gateway.charged).toEqual(new Set([id]));
    });

    it('[P2] capturing without ever answering: voided, and nothing stays charged', async () => {
      house.gateway.script.push('yes', ...Array.from({ length: 5 }, () => 'fails after' as const), 'yes');
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      const outcome = await house.outcome(anna.session, id);
      expect(outcome).toMatchObject({ status: 'voided', reason: 'payment-timeout', tickets: [] });
      await house.until(() => house.gateway.charged.size === 0);
      expect(await liveHold(anna.session)).toBeNull();
      const bert = await house.hold('bert', [3]);
      expect(bert.seats).toEqual([3]);
    });

    it('[P2] that can not void now: the relay voids until it is done', async () => {
      const five = Array.from({ length: 5 }, () => 'fails after' as const);
      house.gateway.script.push('yes', ...five, 'fails before', 'never', 'fails before', 'yes');
      await house.worker.start();
      await house.endedWhileTimePasses(house.relay.start());
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      await house.outcome(anna.session, id);
      expect(house.gateway.charged.size).toBe(1);
      await house.until(() => house.gateway.charged.size === 0);
      await house.until(async () => (await house.orders.pendingOutbox(10, 0)).length === 0);
    });
  });

  it('[P1] the database gave the seat to somebody else: voided with a reason, nothing charged', async () => {
    await house.orders.settle([confirmed(paymentRequest({ seats: [3] }))], house.clock.now());
    await house.worker.start();
    const anna = await house.hold('anna', [3, 4]);
    const { id } = await house.accepted(anna);
    expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'voided', reason: 'seat-sold' });
    await house.until(() => house.gateway.calls.includes('void'));
    await house.until(() => house.gateway.charged.size === 0);
    expect(await house.orders.soldSeats(show.id)).toHaveLength(1);
  });

  it('[P1] and the seat is sold on every screen from then on, the others that were held with it are on sale', async () => {
    const winner = paymentRequest({ seats: [3] });
    await house.orders.settle([confirmed(winner)], house.clock.now());
    await house.worker.start();
    const anna = await house.hold('anna', [3, 4]);
    const { id } = await house.accepted(anna);
    await house.outcome(anna.session, id);
    const since = house.changes.filter(({ seat }) => seat === 3);
    expect(since.map(({ status }) => status)).toEqual([HELD, SOLD]);
    expect(house.changes.findLast(({ seat }) => seat === 4)?.status).toBe(AVAILABLE);
    expect(await house.seats.boughtSeats(show.id)).toEqual(new Map([[winner.session, 1]]));
  });

  describe('a worker that dies', () => {
    it('[P2] while the bank thinks: the next one goes on, charged once', async () => {
      house.gateway.script.push('never');
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      await house.until(() => house.gateway.calls.length === 1);
      await house.endedWhileTimePasses(house.worker.stop());
      expect(house.told(anna.session)).toEqual([]);
      house.worker = house.newWorker().worker;
      await house.worker.start();
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
    });

    it('[P2] and comes back after the payment deadline: voided without asking for money', async () => {
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      house.clock.advance(60_000);
      await house.worker.start();
      const outcome = await house.outcome(anna.session, id);
      expect(outcome).toMatchObject({ status: 'voided', reason: 'payment-deadline' });
      await house.until(() => house.gateway.calls.length > 0);
      expect(house.gateway.calls).toEqual(['void']);
    });

    it('[P3] after the commit: the relay of the next one sells the seats and tells the buyer', async () => {
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      const [request] = await house.log.pending(show.id);
      await house.orders.settle([confirmed(request!)], house.clock.now());
      expect(house.told(anna.session)).toEqual([]);
      await house.endedWhileTimePasses(house.relay.start());
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
      expect(await house.orders.pendingOutbox(10, 0)).toEqual([]);
      expect(house.finished).toEqual([anna.session]);
    });

    it('[P3] after everything but the consumption: delivered again, it only repeats the effects', async () => {
      const anna = await house.hold('anna', [3]);
      const { id } = await house.accepted(anna);
      const [request] = await house.log.pending(show.id);
      const [record] = await house.orders.settle([confirmed(request!)], house.clock.now());
      await house.orders.markApplied([record!.id], house.clock.now());
      await house.worker.start();
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
      expect(house.gateway.calls).toEqual([]);
      await house.until(async () => (await house.log.pending(show.id)).length === 0);
    });
  });

  it('[P3] a seat store that fails: the outcome is kept and applied when it is back', async () => {
    const settle = house.seats.settle.bind(house.seats);
    house.seats.settle = () => Promise.reject(new Error('connection refused'));
    await house.worker.start();
    await house.endedWhileTimePasses(house.relay.start());
    const anna = await house.hold('anna', [3]);
    const { id } = await house.accepted(anna);
    await house.until(async () => (await house.log.pending(show.id)).length === 0);
    expect(await house.orders.pendingOutbox(10, 0)).toHaveLength(1);
    expect(await house.list(anna.session)).toMatchObject([{ id, status: 'confirmed' }]);
    house.seats.settle = settle;
    expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
    await house.until(async () => (await house.orders.pendingOutbox(10, 0)).length === 0);
  });

  it('[P2][P3] a worker that does not know the show yet: the outcome is kept and applied when it does', async () => {
    house.knowsShow = false;
    await house.endedWhileTimePasses(house.relay.start());
    await house.worker.start();
    const anna = await house.hold('anna', [3]);
    const accepted = await house.accepted(anna);
    await house.until(async () => (await house.orders.byIds([orderId(accepted.id)])).length > 0);
    await house.until(() => house.reports.length > 0);
    expect(await house.orders.pendingOutbox(10, 0)).toHaveLength(1);
    house.knowsShow = true;
    expect(await house.outcome(anna.session, accepted.id)).toMatchObject({ status: 'confirmed' });
    expect(house.changes).toContainEqual({ seat: 3, status: SOLD });
    await house.until(async () => (await house.orders.pendingOutbox(10, 0)).length === 0);
  });

  it('[P4] other systems that can not be told: tried again, and no visit of the buyer ends for it again', async () => {
    house.areEventsDown = true;
    await house.endedWhileTimePasses(house.relay.start());
    await house.worker.start();
    const anna = await house.hold('anna', [3]);
    await house.accepted(anna);
    await house.until(() => house.reports.length >= 3);
    expect(house.finished).toEqual([anna.session]);
    expect(house.told(anna.session)).toHaveLength(1);
    expect(await house.orders.pendingOutbox(10, 0)).toHaveLength(1);
    house.areEventsDown = false;
    await house.until(async () => (await house.orders.pendingOutbox(10, 0)).length === 0);
    expect(house.finished).toEqual([anna.session]);
  });

  it('[P2] a database that fails: the payment is delivered again and charged once', async () => {
    const settle = house.orders.settle.bind(house.orders);
    let failures = 3;
    house.orders.settle = (verdicts, now) =>
      failures-- > 0 ? Promise.reject(new Error('disk full')) : settle(verdicts, now);
    await house.worker.start();
    const anna = await house.hold('anna', [3]);
    const { id } = await house.accepted(anna);
    expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
    expect(house.gateway.charged).toEqual(new Set([id]));
  });

  it('[P1][P2] many buyers at once: every seat sold once, every order with an outcome', async () => {
    house.gateway.script.push(...Array.from({ length: 60 }, (_, index) => (index % 5 === 0 ? 'no' : 'yes')));
    await house.worker.start();
    await house.endedWhileTimePasses(house.relay.start());
    const holds = await Promise.all(
      Array.from({ length: 40 }, (_, seat) => house.hold(`buyer-${String(seat)}`, [seat])),
    );
    const orders = await Promise.all(holds.map((hold) => house.accepted(hold)));
    await house.until(() =>
      orders.every((order, index) => house.told(holds[index]!.session).some((one) => one.id === order.id)),
    );
    const statuses = holds.map((hold) => house.told(hold.session).map((order) => order.status));
    const sold = statuses.filter(([status]) => status === 'confirmed').length;
    expect(await house.orders.soldSeats(show.id)).toHaveLength(sold);
    expect(house.gateway.charged.size).toBe(sold);
    await house.until(async () => (await house.orders.pendingOutbox(100, 0)).length === 0);
    expect(await house.seats.expire(rules)).toBe(0);
  });
});

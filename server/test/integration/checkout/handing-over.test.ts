import type { Hold } from '../../../src/feed/show-feed.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BeginCheckout } from '../../../src/checkout/begin-checkout.ts';
import { OverdueCheckouts, type OverdueCheckoutsParts } from '../../../src/checkout/overdue-checkouts.ts';
import { AppendRefusedError, type PaymentLog } from '../../../src/payment-log/payment-log.ts';
import { orderId, showId } from '../../../src/platform/ids.ts';
import { CHECKOUT_CARE, type SeatRules } from '../../../src/seating/seat-store.ts';
import { CheckoutHouse, rules, show } from './checkout-house.ts';

const { handedOverWithinMs, settledWithinMs } = CHECKOUT_CARE;
const otherShow = { ...show, id: showId(8) };
const otherRules: SeatRules = { ...rules, show: otherShow.id };
const logWith = (append: PaymentLog['append']): PaymentLog => ({
  append,
  consume: async () => async () => undefined,
  pending: async () => [],
  deadLetters: async () => [],
  replay: async () => 0,
});
const never = new Promise<never>(() => undefined);

describe('a payment on its way to the log', () => {
  let house: CheckoutHouse;
  let overdue: OverdueCheckouts;
  beforeEach(async () => {
    house = await CheckoutHouse.open();
    overdue = careOf();
  });
  afterEach(() => house.close());

  function careOf(more: Partial<OverdueCheckoutsParts> = {}): OverdueCheckouts {
    const { outside, seats, orders, log } = house;
    return new OverdueCheckouts({ outside, seats, orders, log, ...more });
  }

  type Held = Awaited<ReturnType<CheckoutHouse['hold']>>;
  const liveHold = (hold: Held): Promise<Hold | null> => house.seats.holdOf(show.id, hold.session);
  const through = (append: PaymentLog['append']): BeginCheckout => house.checkoutThrough(logWith(append));

  /** The process that froze the hold dies before its log has the request. */
  async function frozenByTheDead(hold: Held): Promise<void> {
    house.beginCheckout = through(() => never);
    void house.pay(hold);
    while (!(await liveHold(hold))?.orderId) await turn();
    house.beginCheckout = house.checkoutThrough(house.log);
  }

  describe('whose process dies between freeze and log', () => {
    it('[P2] is told as an order by nobody until the log has it, and then to its end', async () => {
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      await frozenByTheDead(anna);
      expect(await house.list(anna.session)).toEqual([]);
      expect(await liveHold(anna)).toMatchObject({ isAccepted: false });

      await overdue.handOver(show, rules);
      expect(await liveHold(anna)).toMatchObject({ isAccepted: false });
      house.clock.advance(handedOverWithinMs);
      await overdue.handOver(show, rules);
      const [processing] = await house.list(anna.session);
      expect(processing).toMatchObject({ status: 'processing' });
      expect(await house.outcome(anna.session, processing!.id)).toMatchObject({ status: 'confirmed' });
    });

    it('[P2] and which nobody finds until its time is over: seats on sale again, and a voided order', async () => {
      const anna = await house.hold('anna', [3]);
      await frozenByTheDead(anna);
      const { orderId: id } = (await liveHold(anna))!;
      house.clock.advance(rules.holdLifetimeMs);
      await house.seats.expire(rules);
      await house.hold('bert', [3]);
      await house.worker.start();
      await overdue.handOver(show, rules);
      const end = { id, status: 'voided', reason: 'payment-deadline' };
      expect(await house.outcome(anna.session, id!)).toMatchObject(end);
      expect(await house.list(anna.session)).toMatchObject([end]);
      await house.until(() => house.gateway.calls.includes('void'));
      expect(house.gateway.calls).toEqual(['void']);
    });

    it('[P2] found by two nodes at once: one order, charged once', async () => {
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      await frozenByTheDead(anna);
      house.clock.advance(handedOverWithinMs);
      await Promise.all([overdue.handOver(show, rules), careOf().handOver(show, rules)]);
      await house.outcome(anna.session, (await house.list(anna.session))[0]!.id);
      expect(house.gateway.calls).toEqual(['authorize', 'capture']);
    });
  });

  it('[P2] through a log that is away for the whole time of payment: voided when it is back', async () => {
    const anna = await house.hold('anna', [3]);
    house.beginCheckout = through(() => never);
    const asked = house.pay(anna);
    await house.until(() => house.reports.length > 0);
    expect(await asked).toMatchObject({ code: 'busy' });
    const away = careOf({ log: logWith(() => Promise.reject(new AppendRefusedError('no broker'))) });
    for (let ms = 0; ms < settledWithinMs; ms += handedOverWithinMs) {
      house.clock.advance(handedOverWithinMs);
      await away.handOver(show, rules).catch(() => undefined);
    }
    await house.worker.start();
    house.clock.advance(handedOverWithinMs * 2);
    await overdue.handOver(show, rules);
    await house.until(() => house.told(anna.session).length > 0);
    expect(house.told(anna.session)).toMatchObject([{ status: 'voided', reason: 'payment-deadline' }]);
  });

  it('[P2] without a database it is handed over all the same, and what has ended stays as it ended', async () => {
    const anna = await house.hold('anna', [3]);
    await frozenByTheDead(anna);
    house.clock.advance(handedOverWithinMs);
    const orders = { byIds: () => Promise.reject(new Error('no database')) } as never;
    await careOf({ orders }).handOver(show, rules);
    const [pending] = await house.log.pending(show.id);
    expect(pending).toMatchObject({ session: anna.session, seats: [3], amount: 1_000 });
    await house.worker.start();
    await house.outcome(anna.session, pending!.orderId);
  });

  it('[P2] an outcome that the seats lost with a part of their history is applied again', async () => {
    const settle = house.seats.settle.bind(house.seats);
    house.seats.settle = async () => undefined;
    await house.worker.start();
    const anna = await house.hold('anna', [3]);
    const { id } = await house.accepted(anna);
    await house.until(async () => (await house.orders.byIds([orderId(id)])).length === 1);
    house.seats.settle = settle;
    house.clock.advance(settledWithinMs);
    await overdue.handOver(show, rules);
    expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed' });
  });

  it('[P2][P1] refused by one log after another node’s log took the same key: the seats stay with the order', async () => {
    const refusal = Promise.withResolvers<never>();
    const anna = await house.hold('anna', [3]);
    house.beginCheckout = through(() => refusal.promise);
    const first = house.pay(anna);
    while (!(await liveHold(anna))?.orderId) await turn();
    house.beginCheckout = house.checkoutThrough(house.log);
    const { id } = await house.accepted(anna);
    refusal.reject(new AppendRefusedError('no broker to be seen from here'));
    expect(await first).toMatchObject({ code: 'busy' });
    const { session, holdToken } = anna;
    const [released] = await house.seats.take(rules, [{ kind: 'release', session, holdToken, seats: [] }]);
    expect(released).toMatchObject({ code: 'in-checkout' });
    await house.worker.start();
    expect(await house.outcome(session, id)).toMatchObject({ status: 'confirmed' });
  });

  describe('a key of an earlier order', () => {
    const payIn = (other: typeof show, ofOther: SeatRules, { holdToken, amount }: Hold, session: Held) => {
      const intent = { session: session.session, holdToken, idempotencyKey: 'key-12345', amount };
      return house.beginCheckout.run(other, ofOther, intent);
    };

    async function holdInOtherShow(anna: Held): Promise<Hold> {
      await house.seats.open(otherRules, { sold: [], checkouts: [] });
      const { session } = anna;
      const request = { kind: 'hold', session, network: null, seats: [5], prices: [1_000] } as const;
      const [outcome] = await house.seats.take(otherRules, [request]);
      if (!outcome.ok) throw new Error('no hold');
      return outcome.value;
    }

    it('6.7 on a new hold: refused, and never charged', async () => {
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      await house.outcome(anna.session, (await house.accepted(anna)).id);
      const next = await house.hold('anna', [4]);
      expect(await house.pay(next)).toMatchObject({ code: 'idempotency-mismatch' });
      expect(await liveHold(anna)).toMatchObject({ orderId: null, holdToken: next.holdToken });
      expect(house.gateway.calls).toEqual(['authorize', 'capture']);
    });

    it('6.7 in another show: refused, and never charged', async () => {
      await house.worker.start();
      const anna = await house.hold('anna', [3]);
      const other = await holdInOtherShow(anna);
      await house.outcome(anna.session, (await house.accepted(anna)).id);
      expect(await payIn(otherShow, otherRules, other, anna)).toMatchObject({ code: 'idempotency-mismatch' });
      expect(await house.seats.holdOf(otherShow.id, anna.session)).toMatchObject({ orderId: null });
    });

    it('6.7 in another show at the same moment: refused there, whichever is first, and charged once', async () => {
      const anna = await house.hold('anna', [3]);
      const other = await holdInOtherShow(anna);
      const { id } = await house.accepted(anna);
      const second = await payIn(otherShow, otherRules, other, anna);
      expect(second).toMatchObject({ ok: false, code: 'idempotency-mismatch' });
      await house.worker.start();
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed', show: show.id });
      expect(house.gateway.calls).toEqual(['authorize', 'capture']);
    });

    it('[P2] in another show while Redis has forgotten the first: one order, charged once, and the other hold comes back', async () => {
      const anna = await house.hold('anna', [3]);
      const other = await holdInOtherShow(anna);
      const { id } = await house.accepted(anna);
      await house.keys.giveUp(orderId(id));
      expect(await payIn(otherShow, otherRules, other, anna)).toMatchObject({ ok: true, value: { id } });
      await house.worker.start();
      expect(await house.outcome(anna.session, id)).toMatchObject({ status: 'confirmed', show: show.id });
      expect(house.gateway.calls).toEqual(['authorize', 'capture']);
      house.clock.advance(settledWithinMs);
      await overdue.handOver(otherShow, otherRules);
      const back = { holdToken: other.holdToken, orderId: null };
      expect(await house.seats.holdOf(otherShow.id, anna.session)).toMatchObject(back);
    });
  });

  it('[P2] a database that does not answer holds up a checkout for a moment only', async () => {
    house.orders.byIds = () => never;
    const anna = await house.hold('anna', [3]);
    const asked = house.pay(anna);
    await house.until(() => house.reports.length > 0);
    expect(await asked).toMatchObject({ ok: true, value: { status: 'processing' } });
  });
});

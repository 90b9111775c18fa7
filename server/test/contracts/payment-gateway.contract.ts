import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Charge, type PaymentGateway, PaymentVoidedError } from '../../src/payments/payment-gateway.ts';
import { newOrderId } from './payment-requests.ts';

export interface PaymentGatewayUnderTest {
  readonly gateway: PaymentGateway;
  /** The same service through another process. */
  another(): PaymentGateway;
  /** An order whose bank says yes, and one whose bank says no. */
  readonly solvent: Charge;
  readonly insolvent: Charge;
  /** Lets time pass where the gateway has a clock that is moved by hand. */
  pass(ms: number): void;
  remove(): Promise<void>;
}

/** Longer than any answer takes. */
const ANSWER_MS_MAX = 60_000;

/** What every payment gateway must do. */
export function paymentGatewayContract(name: string, open: () => Promise<PaymentGatewayUnderTest>): void {
  describe(`payment gateway: ${name}`, () => {
    let under: PaymentGatewayUnderTest;
    let gateway: PaymentGateway;
    beforeEach(async () => {
      under = await open();
      gateway = under.gateway;
    });
    afterEach(() => under.remove());

    async function answer<T>(asked: Promise<T>): Promise<T> {
      under.pass(ANSWER_MS_MAX);
      return asked;
    }

    async function refused(ask: () => Promise<unknown>, passMs = ANSWER_MS_MAX): Promise<void> {
      const asked = ask();
      under.pass(passMs);
      await expect(asked).rejects.toBeInstanceOf(PaymentVoidedError);
    }

    it('authorizes with a reference, and captures', async () => {
      const authorization = await answer(gateway.authorize(under.solvent));
      if (authorization.kind !== 'authorized') throw new Error('expected an authorization');
      expect(authorization.reference).not.toBe('');
      await answer(gateway.capture(under.solvent, authorization.reference));
    });

    it('declines with a reason to tell the buyer', async () => {
      const authorization = await answer(gateway.authorize(under.insolvent));
      if (authorization.kind !== 'declined') throw new Error('expected a refusal');
      expect(authorization.reason).toMatch(/^.{1,80}$/);
    });

    it('[P2] repeats its answer for the same order, also to another process', async () => {
      for (const charge of [under.solvent, under.insolvent]) {
        const first = await answer(gateway.authorize(charge));
        expect(await answer(gateway.authorize(charge))).toEqual(first);
        expect(await answer(under.another().authorize(charge))).toEqual(first);
      }
    });

    it('[P2] capturing and voiding may be repeated', async () => {
      const authorization = await answer(gateway.authorize(under.solvent));
      if (authorization.kind !== 'authorized') throw new Error('expected an authorization');
      const { reference } = authorization;
      await answer(gateway.capture(under.solvent, reference));
      await answer(under.another().capture(under.solvent, reference));
      await answer(gateway.void(under.solvent, reference));
      await answer(under.another().void(under.solvent, reference));
    });

    it('[P2] after a void nothing is authorized or captured, here or by another process', async () => {
      const authorization = await answer(gateway.authorize(under.solvent));
      if (authorization.kind !== 'authorized') throw new Error('expected an authorization');
      await answer(gateway.void(under.solvent, authorization.reference));
      for (const one of [gateway, under.another()]) {
        await refused(() => one.authorize(under.solvent));
        await refused(() => one.capture(under.solvent, authorization.reference));
      }
    });

    it('[P2] an order that is voided before it is authorized, or meanwhile, is never authorized', async () => {
      await answer(gateway.void(under.insolvent, ''));
      await refused(() => under.another().authorize(under.insolvent));
      const underWay = refused(() => gateway.authorize(under.solvent), 0);
      await gateway.void(under.solvent, '');
      under.pass(ANSWER_MS_MAX);
      await underWay;
    });

    it('voids without a reference, also where there is nothing to void', async () => {
      await answer(gateway.void(under.solvent, ''));
      await answer(gateway.void({ ...under.solvent, orderId: newOrderId() }, ''));
    });
  });
}

import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, it } from 'vitest';
import { orderId } from '../platform/ids.ts';
import type { Authorization } from './payment-gateway.ts';
import { SimulatedPaymentGateway } from './simulated-payment-gateway.ts';

const charge = (index: number) => ({
  orderId: orderId(`order-${String(index)}`),
  amount: 100,
  currency: 'EUR',
});

async function authorizeMany(successShare: number, count: number): Promise<readonly Authorization[]> {
  const clock = new ManualClock();
  const gateway = new SimulatedPaymentGateway({ delayMinMs: 0, delayMaxMs: 0, successShare }, clock);
  const asked = Array.from({ length: count }, (_, index) => gateway.authorize(charge(index)));
  clock.advance(0);
  return Promise.all(asked);
}

const yesses = (answers: readonly Authorization[]) =>
  answers.filter((one) => one.kind === 'authorized').length;

describe('simulated payment gateway', () => {
  it('says yes to about the share of orders it was told', async () => {
    const answers = await authorizeMany(0.8, 5_000);
    expect(yesses(answers) / answers.length).toBeCloseTo(0.8, 1);
  });

  it('says yes to all at 1 and to none at 0', async () => {
    expect(yesses(await authorizeMany(1, 500))).toBe(500);
    expect(yesses(await authorizeMany(0, 500))).toBe(0);
  });

  it('gives every order a reference of its own', async () => {
    const answers = await authorizeMany(1, 500);
    expect(new Set(answers.map((one) => (one.kind === 'authorized' ? one.reference : ''))).size).toBe(500);
  });

  it('answers within its delays, spread between them', async () => {
    const clock = new ManualClock();
    const settings = { delayMinMs: 200, delayMaxMs: 1_000, successShare: 1 };
    const gateway = new SimulatedPaymentGateway(settings, clock);
    let answered = 0;
    for (let index = 0; index < 400; index++) void gateway.authorize(charge(index)).then(() => answered++);
    const answeredBy = async (ms: number): Promise<number> => {
      clock.advance(ms);
      await Promise.resolve();
      return answered;
    };
    expect(await answeredBy(199)).toBe(0);
    const half = await answeredBy(401);
    expect(half).toBeGreaterThan(120);
    expect(half).toBeLessThan(280);
    expect(await answeredBy(400)).toBe(400);
  });
});

import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { SimulatedPaymentGateway } from '../../src/payments/simulated-payment-gateway.ts';
import { type OrderId, orderId } from '../../src/platform/ids.ts';
import { paymentGatewayContract } from './payment-gateway.contract.ts';

const SETTINGS = { delayMinMs: 200, delayMaxMs: 900, successShare: 0.8 };

paymentGatewayContract('simulated', async () => {
  const clock = new ManualClock();
  const voided = new Set<OrderId>();
  const start = () => new SimulatedPaymentGateway(SETTINGS, clock, voided);
  return {
    gateway: start(),
    another: start,
    solvent: { orderId: orderId('order-0'), amount: 4_200, currency: 'EUR' },
    insolvent: { orderId: orderId('order-5'), amount: 4_200, currency: 'EUR' },
    pass: (ms) => clock.advance(ms),
    remove: async () => undefined,
  };
});

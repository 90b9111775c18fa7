import { createHash } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { OrderId } from '../platform/ids.ts';
import type { Authorization, Charge, PaymentGateway } from './payment-gateway.ts';

export interface SimulatedPaymentSettings {
  /** Milliseconds that an authorization takes, the bank's part of it included. */
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Share of orders whose bank says yes, 0…1. */
  readonly successShare: number;
}

const DECLINE_REASONS = ['card-declined', 'insufficient-funds', 'card-expired'] as const;
const UINT32_COUNT = 2 ** 32;
const REFERENCE_BYTES = 12;

/**
 * A payment gateway that needs no account anywhere. Everything about an order (its outcome, delay and reference)
 * is read off a hash of its id, so that a repeated call gets the same answer from any process, and there is
 * nothing to remember: captures and voids are granted without a ledger. Capture and void answer at once.
 */
export class SimulatedPaymentGateway implements PaymentGateway {
  readonly #settings: SimulatedPaymentSettings;
  readonly #clock: Clock;

  constructor(settings: SimulatedPaymentSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  authorize({ orderId }: Charge): Promise<Authorization> {
    const { delayMinMs, delayMaxMs, successShare } = this.#settings;
    const fate = fateOf(orderId);
    const delayMs = delayMinMs + fate.delay * (delayMaxMs - delayMinMs);
    const answer: Authorization =
      fate.luck < successShare
        ? { kind: 'authorized', reference: fate.reference }
        : { kind: 'declined', reason: fate.declineReason };
    return new Promise((resolve) => {
      this.#clock.after(delayMs, () => resolve(answer));
    });
  }

  async capture(): Promise<void> {
    // Granted: an authorization of this gateway never runs out.
  }

  async void(): Promise<void> {
    // Granted: nothing was really charged.
  }
}

/** Independent numbers in [0, 1) and a reference, the same for an order whenever they are asked for. */
function fateOf(orderId: OrderId) {
  const hash = createHash('sha256').update(orderId).digest();
  const reason = hash.readUInt8(8) % DECLINE_REASONS.length;
  return {
    luck: hash.readUInt32BE(0) / UINT32_COUNT,
    delay: hash.readUInt32BE(4) / UINT32_COUNT,
    declineReason: DECLINE_REASONS[reason] ?? DECLINE_REASONS[0],
    reference: `sim_${hash.subarray(-REFERENCE_BYTES).toString('hex')}`,
  };
}

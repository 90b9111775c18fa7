import { createHash } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { OrderId } from '../platform/ids.ts';
import {
  type Authorization,
  type Charge,
  type PaymentGateway,
  PaymentVoidedError,
} from './payment-gateway.ts';

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

/** Voided orders remembered [P7]; one that is older has long had its end in the database, and nobody asks again. */
const VOIDED_MAX = 100_000;

/**
 * A payment gateway that needs no account anywhere. Everything about an order (its outcome, delay and reference)
 * is read off a hash of its id, so that a repeated call gets the same answer from any process. All it remembers is
 * which orders were voided: processes that share `voided` are clients of one service. Capture and void answer at once.
 */
export class SimulatedPaymentGateway implements PaymentGateway {
  readonly #settings: SimulatedPaymentSettings;
  readonly #clock: Clock;
  readonly #voided: Set<OrderId>;

  constructor(settings: SimulatedPaymentSettings, clock: Clock, voided = new Set<OrderId>()) {
    this.#settings = settings;
    this.#clock = clock;
    this.#voided = voided;
  }

  authorize({ orderId }: Charge): Promise<Authorization> {
    const { delayMinMs, delayMaxMs, successShare } = this.#settings;
    const fate = fateOf(orderId);
    const delayMs = delayMinMs + fate.delay * (delayMaxMs - delayMinMs);
    const answer: Authorization =
      fate.luck < successShare
        ? { kind: 'authorized', reference: fate.reference }
        : { kind: 'declined', reason: fate.declineReason };
    return new Promise((resolve, reject) => {
      this.#clock.after(delayMs, () => {
        if (this.#voided.has(orderId)) reject(voidedError(orderId));
        else resolve(answer);
      });
    });
  }

  /** An authorization of this gateway never runs out. */
  async capture({ orderId }: Charge): Promise<void> {
    if (this.#voided.has(orderId)) throw voidedError(orderId);
  }

  async void({ orderId }: Charge): Promise<void> {
    this.#voided.add(orderId);
    const [oldest] = this.#voided;
    if (this.#voided.size > VOIDED_MAX && oldest !== undefined) this.#voided.delete(oldest);
  }
}

function voidedError(orderId: OrderId): PaymentVoidedError {
  return new PaymentVoidedError(`the payment of order ${orderId} was voided`);
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

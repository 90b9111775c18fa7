import pLimit from 'p-limit';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { OrderStatus } from '@stampede/shared/protocol/messages.ts';
import type { ShowId } from '../platform/ids.ts';
import type { NextTurn } from '../platform/turn.ts';
import type { SeatRules, SeatStore } from '../seating/seat-store.ts';
import type { OrderEvents } from './order-events.ts';
import type { Order, OrderStore } from './order-store.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { OutcomeEffects } from './outcome-effects.ts';
import type { PaymentGateway } from './payment-gateway.ts';
import type { PaymentLog, PaymentRequest } from './payment-log.ts';
import { GATEWAY_CALLS_MAX } from './payment-terms.ts';
import { PaymentWorker } from './payment-worker.ts';
import { newRandomTicketCode } from './ticket-codes.ts';

export interface PaymentJobParts {
  readonly log: PaymentLog;
  readonly orders: OrderStore;
  readonly seats: SeatStore;
  readonly gateway: PaymentGateway;
  readonly events?: OrderEvents | undefined;
  /** Null for a show that this node has not opened (yet). */
  readonly seatRules: (show: ShowId) => SeatRules | null;
  /** The buyer has their tickets: frees the admission for the next. */
  readonly finished: (order: Order) => Promise<void>;
  /** What the seats of a request cost, or null for a show that this node doesn't know. */
  readonly priceOf: (request: PaymentRequest) => number | null;
  /** Told of each order that this process settled, and how long that took since its checkout, in milliseconds. */
  readonly settled?: ((status: OrderStatus, tookMs: number) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly nextTurn: NextTurn;
  readonly report: (message: string, cause: unknown) => void;
}

/** What a worker does: settle payments, and finish settling those that a dead process left half done. */
export class PaymentJobs {
  readonly #worker: PaymentWorker;
  readonly #relay: OutboxRelay;

  constructor(parts: PaymentJobParts) {
    const gatewayCalls = pLimit(GATEWAY_CALLS_MAX);
    const outcomes = new OutcomeEffects({ ...parts, gatewayCalls });
    this.#relay = new OutboxRelay({ ...parts, outcomes });
    this.#worker = new PaymentWorker({
      ...parts,
      gatewayCalls,
      outcomes,
      newTicketCode: newRandomTicketCode,
    });
  }

  /** The relay first: outcomes that are final must be seen before anybody may take their seats. */
  async start(): Promise<void> {
    await this.#relay.start();
    await this.#worker.start();
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#relay.stop();
  }
}

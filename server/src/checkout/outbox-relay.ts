import type { Clock } from '@stampede/shared/platform/clock.ts';
import { repeat } from '../platform/repeat.ts';
import type { OrderStore } from './order-store.ts';
import type { OutcomeEffects } from './outcome-effects.ts';
import { answerWithin } from '../platform/outside-call.ts';
import { STORE_TIMEOUT_MS } from './payment-terms.ts';

export interface OutboxRelayParts {
  readonly orders: OrderStore;
  readonly outcomes: OutcomeEffects;
  readonly clock: Clock;
  readonly report: (message: string, cause: unknown) => void;
}

const INTERVAL_MS = 5_000;
const PAGE_LENGTH = 500;

/**
 * Repeats what final orders ask for until it was seen to happen: at start what a dead process left, then every few
 * seconds what a failing seat store or payment gateway left [P2, P3]. Safe to run beside the worker and on several
 * nodes, because doing it twice changes nothing.
 */
export class OutboxRelay {
  readonly #parts: OutboxRelayParts;
  #stop: () => Promise<void> = async () => undefined;

  constructor(parts: OutboxRelayParts) {
    this.#parts = parts;
  }

  /** Resolves after the first round; a round that fails is reported and the next comes all the same. */
  async start(): Promise<void> {
    const { clock, report } = this.#parts;
    const onError = (cause: unknown): void => report('the outbox could not be read', cause);
    await this.relay().catch(onError);
    this.#stop = repeat(clock, INTERVAL_MS, () => this.relay(), onError);
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** One round through everything that is pending; what fails holds up nothing behind it. */
  async relay(): Promise<void> {
    const { clock, orders } = this.#parts;
    let after = 0;
    for (;;) {
      const from = after;
      const page = await answerWithin(clock, STORE_TIMEOUT_MS, 'the order database', () =>
        orders.pendingOutbox(PAGE_LENGTH, from),
      );
      await this.#carryOut(page);
      const last = page.at(-1);
      if (!last || page.length < PAGE_LENGTH) return;
      after = last.id;
    }
  }

  async #carryOut(page: Awaited<ReturnType<OrderStore['pendingOutbox']>>): Promise<void> {
    const { outcomes, report } = this.#parts;
    const results = await Promise.allSettled(page.map(({ id, order }) => outcomes.carryOut(order, id)));
    const failed = results.filter((result) => result.status === 'rejected');
    const [first] = failed;
    if (first) report(`${failed.length} outcomes could not be applied yet`, first.reason);
  }
}

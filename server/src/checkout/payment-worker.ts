import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { OrderStatus } from '@stampede/shared/protocol/messages.ts';
import type { LimitFunction } from 'p-limit';
import type { OrderId } from '../platform/ids.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { NextTurn } from '../platform/turn.ts';
import { type Order, type OrderStore, type Verdict, voidReasons } from './order-store.ts';
import type { OutcomeEffects } from './outcome-effects.ts';
import { answerWithin } from '../platform/outside-call.ts';
import { type PaymentGateway, PaymentVoidedError } from './payment-gateway.ts';
import type { PaymentLog, PaymentRequest } from './payment-log.ts';
import {
  beginSaga,
  refuseSaga,
  type SagaEffect,
  type SagaInput,
  type SagaStep,
  type SagaTerms,
  stepSaga,
} from './payment-saga.ts';
import {
  GATEWAY_ATTEMPTS_MAX,
  GATEWAY_BACKOFF,
  GATEWAY_TIMEOUT_MS,
  STORE_TIMEOUT_MS,
} from './payment-terms.ts';
import { type SettlementBatch, settlementBatch } from './settlement-batch.ts';
import type { NewTicketCode } from './ticket-codes.ts';

export interface PaymentWorkerParts {
  readonly log: PaymentLog;
  readonly orders: OrderStore;
  readonly gateway: PaymentGateway;
  /** Bounds the calls to the gateway under way, shared with whoever else calls it. */
  readonly gatewayCalls: LimitFunction;
  readonly outcomes: OutcomeEffects;
  readonly newTicketCode: NewTicketCode;
  /** What the seats of a request cost, or null for a show that this node doesn't know: then its gateway is believed. */
  readonly priceOf: (request: PaymentRequest) => number | null;
  /** Told of each order settled here, and how long that took since its checkout, in milliseconds. */
  readonly settled?: ((status: OrderStatus, tookMs: number) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly nextTurn: NextTurn;
  readonly report: (message: string, cause: unknown) => void;
}

/** Deliveries that share one look into the database: those of one fetch, or that came during the look before. */
const LOOK_BOUNDS = { itemsMax: 8, callsMax: 1 };

/** The worker is going down: the payment is left where it is and comes again. */
class StoppingError extends Error {
  override readonly name = 'StoppingError';
}

/** What every database keeps as it is; a gateway that answers otherwise has the order voided by its id. */
const REFERENCE = /^[\x21-\x7e]{1,255}$/;

type OutsideEffect = Extract<SagaEffect, { kind: 'authorize' | 'capture' }>;
type SettleEffect = Extract<SagaEffect, { kind: 'settle' }>;

/**
 * Takes payment requests from the log, carries out what the saga decides, and has consumed them when their
 * outcomes are in the database. Every payment goes its own way: none waits for a slower one, only commits are
 * shared.
 *
 * If the process dies
 * - before the verdict is committed: the log delivers the request again, to this worker's next life or another's;
 *   the gateway answers as before, because it knows the order;
 * - between the commit and the effects on seats and gateway: the outbox record is there, and the relay carries
 *   them out;
 * - before the log hears that the request was consumed: it is delivered again, found final, and only its effects
 *   are repeated, which changes nothing.
 */
export class PaymentWorker {
  readonly #parts: PaymentWorkerParts;
  readonly #looks: GatheredCalls<readonly OrderId[], ReadonlyMap<OrderId, Order>>;
  readonly #settlements: SettlementBatch;
  readonly #pauses = new Set<() => void>();
  #stopConsuming: () => Promise<void> = async () => undefined;
  #stopping = false;

  constructor(parts: PaymentWorkerParts) {
    this.#parts = parts;
    this.#looks = new GatheredCalls((lists) => this.#finalsOf(lists), parts.nextTurn, LOOK_BOUNDS);
    this.#settlements = settlementBatch(parts.orders, parts.clock);
  }

  async start(): Promise<void> {
    this.#stopConsuming = await this.#parts.log.consume(
      (requests) => this.#handle(requests),
      (request) => this.#giveUp(request),
    );
  }

  /** Resolves when calls under way have come back; payments that wait for another try are left for the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const stopped = this.#stopConsuming();
    for (const endPause of this.#pauses) endPause();
    await stopped;
  }

  async #handle(requests: readonly PaymentRequest[]): Promise<void> {
    const finals = await this.#looks.add(requests.map((request) => request.orderId));
    const results = await Promise.allSettled(
      requests.map((request) => {
        const final = finals.get(request.orderId);
        return final ? this.#parts.outcomes.carryOut(final, null) : this.#pay(request);
      }),
    );
    const causes = results
      .filter((result) => result.status === 'rejected')
      .map((result): unknown => result.reason);
    if (causes.length > 0) {
      throw new AggregateError(causes, `${causes.length} of ${requests.length} payments were not settled`);
    }
  }

  /** The final orders among those of some deliveries, all of them for each. */
  async #finalsOf(lists: readonly (readonly OrderId[])[]): Promise<readonly ReadonlyMap<OrderId, Order>[]> {
    const { clock, orders } = this.#parts;
    const found = await answerWithin(clock, STORE_TIMEOUT_MS, 'the order database', () =>
      orders.byIds(lists.flat()),
    );
    const finals = new Map(found.map((order) => [order.id, order]));
    return lists.map(() => finals);
  }

  /** Runs one payment's saga to its outcome; rejects where only another delivery can go on. */
  async #pay(request: PaymentRequest): Promise<void> {
    const { outcomes, report } = this.#parts;
    const terms = { payBy: request.payBy, attemptsMax: GATEWAY_ATTEMPTS_MAX, backoff: GATEWAY_BACKOFF };
    let { state, effects } = this.#begin(request, terms);
    for (;;) {
      const [effect] = effects;
      if (effect?.kind === 'settle') {
        const { id, order } = await this.#settlements.add(this.#verdict(request, effect));
        this.#parts.settled?.(order.status, order.settledAt - order.createdAt);
        // From here on the outbox answers for the order, so a failure is no reason for another delivery.
        await outcomes
          .carryOut(order, id)
          .catch((cause: unknown) => report(`the outcome of order ${order.id} is left to the relay`, cause));
        return;
      }
      if (effect?.kind !== 'authorize' && effect?.kind !== 'capture') {
        throw new Error(`a payment that is ${state.step} asks for nothing to be done`);
      }
      const input = await this.#call(request, terms, effect);
      ({ state, effects } = stepSaga(terms, state, input));
    }
  }

  /** Only what the seats cost may be charged, whatever the log says. */
  #begin(request: PaymentRequest, terms: SagaTerms): SagaStep {
    const { clock, priceOf, report } = this.#parts;
    const price = priceOf(request);
    if (price === null || price === request.amount) return beginSaga(terms, clock.now());
    const { orderId, amount } = request;
    report(`order ${orderId} is not charged`, new Error(`its amount is ${amount}, its seats cost ${price}`));
    return refuseSaga(voidReasons.amountChanged);
  }

  /**
   * The end of a payment that can't be settled [P2]. Should its key be what the database will not have, it is written
   * under the order's id.
   */
  async #giveUp(request: PaymentRequest): Promise<void> {
    const end = {
      kind: 'settle',
      status: 'voided',
      reason: voidReasons.paymentFailed,
      reference: '',
    } as const;
    const keyless = { ...request, idempotencyKey: request.orderId };
    const { id, order } = await this.#settlements
      .add(this.#verdict(request, end))
      .catch(() => this.#settlements.add(this.#verdict(keyless, end)));
    this.#parts.settled?.(order.status, order.settledAt - order.createdAt);
    await this.#parts.outcomes.carryOut(order, id);
  }

  /** One call to the payment gateway; every failure is an input to the saga, never an error. */
  async #call(request: PaymentRequest, { payBy }: SagaTerms, effect: OutsideEffect): Promise<SagaInput> {
    const { clock, gateway, gatewayCalls, random, report } = this.#parts;
    const { orderId, amount, currency } = request;
    const charge = { orderId, amount, currency };
    await this.#pause(effect.afterMs);
    return gatewayCalls(async (): Promise<SagaInput> => {
      if (this.#stopping) throw new StoppingError('the worker is stopping');
      const failed = (): SagaInput => ({ kind: 'failed', now: clock.now(), random: random() });
      // The line at the gateway may have taken all the time there was.
      if (clock.now() >= payBy) return failed();
      try {
        if (effect.kind === 'capture') {
          const capture = () => gateway.capture(charge, effect.reference);
          await answerWithin(clock, GATEWAY_TIMEOUT_MS, 'capturing a payment', capture);
          return { kind: 'captured' };
        }
        const authorize = () => gateway.authorize(charge);
        const answer = await answerWithin(clock, GATEWAY_TIMEOUT_MS, 'authorizing a payment', authorize);
        if (answer.kind === 'declined') return answer;
        if (!REFERENCE.test(answer.reference)) throw new Error('its reference is none that can be kept');
        return { ...answer, now: clock.now() };
      } catch (cause) {
        if (cause instanceof PaymentVoidedError) return { kind: 'voided' };
        report(`the payment gateway failed to ${effect.kind} order ${orderId}`, cause);
        return failed();
      }
    });
  }

  #verdict(request: PaymentRequest, { status, reason, reference }: SettleEffect): Verdict {
    const tickets = status === 'confirmed' ? request.seats.map(() => this.#parts.newTicketCode()) : [];
    return { request, status, reason, paymentReference: reference, tickets };
  }

  #pause(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancel = this.#parts.clock.after(ms, () => {
        this.#pauses.delete(end);
        resolve();
      });
      const end = (): void => {
        cancel();
        this.#pauses.delete(end);
        reject(new StoppingError('the worker is stopping'));
      };
      this.#pauses.add(end);
    });
  }
}

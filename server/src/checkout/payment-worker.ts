import type { OrderId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { answerWithin, pause } from '../platform/retry.ts';
import type { PaymentLog, PaymentRequest } from '../payment-log/payment-log.ts';
import { type PaymentGateway, PaymentVoidedError } from '../payments/payment-gateway.ts';
import { type OrderStore, voidReasons } from './order-store.ts';
import { runSaga, type SagaAnswer, type SagaCall, type SagaEnd, verdict } from './payment-saga.ts';
import {
  GATEWAY_ATTEMPTS_MAX,
  GATEWAY_BACKOFF,
  GATEWAY_TIMEOUT_MS,
  STORE_TIMEOUT_MS,
} from './payment-terms.ts';
import type { Settlements } from './settlements.ts';

export interface PaymentWorkerParts {
  readonly outside: Outside;
  readonly log: PaymentLog;
  readonly orders: OrderStore;
  readonly gateway: PaymentGateway;
  readonly settlements: Settlements;
  /** What the seats of a request cost, or null for a show that this node doesn't know: then its gateway is believed. */
  readonly priceOf: (request: PaymentRequest) => Promise<number | null>;
}

/** Crockford's alphabet: no I, L, O, U, so that a code can be read out at a door and typed without doubt. */
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 80 random bits: among a million tickets the chance that any two are equal is below 10^-12. */
const CODE_LENGTH = 16;

/** What every database keeps as it is; a gateway that answers otherwise has the order voided by its id. */
const REFERENCE = /^[\x21-\x7e]{1,255}$/;

/**
 * Takes payment requests from the log, runs each one's saga, and has consumed them when their outcomes are in the
 * database. Every payment goes its own way: none waits for a slower one, only commits are shared. How many are under
 * way, and so how many calls to the gateway, the log bounds.
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
  readonly #stopping = new AbortController();
  #stopConsuming: () => Promise<void> = async () => undefined;

  constructor(parts: PaymentWorkerParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    this.#stopConsuming = await this.#parts.log.consume(
      (requests) => this.#handle(requests),
      (request) => this.#giveUp(request),
    );
  }

  /** Resolves when calls under way have come back; payments that wait for another try are left for the next start. */
  async stop(): Promise<void> {
    const stopped = this.#stopConsuming();
    this.#stopping.abort(new Error('the worker is stopping'));
    await stopped;
  }

  async #handle(requests: readonly PaymentRequest[]): Promise<void> {
    const { outside, orders, settlements } = this.#parts;
    const ids = requests.map((request) => request.orderId);
    const finals = await answerWithin(outside.clock, STORE_TIMEOUT_MS, 'the order database', () =>
      orders.byIds(ids),
    );
    const known = new Set<OrderId>(finals.map(({ id }) => id));
    const results = await Promise.allSettled([
      settlements.repeat(finals),
      ...requests.filter(({ orderId }) => !known.has(orderId)).map((request) => this.#pay(request)),
    ]);
    const causes = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    if (causes.length > 0) {
      throw new AggregateError(causes, `${causes.length} of ${requests.length} payments were not settled`);
    }
  }

  /** Runs one payment to its outcome; rejects where only another delivery can go on. */
  async #pay(request: PaymentRequest): Promise<void> {
    const { clock, report } = this.#parts.outside;
    const { amount, orderId, payBy } = request;
    const price = await this.#parts.priceOf(request);
    // Only what the seats cost may be charged, whatever the log says.
    if (price !== null && price !== amount) {
      report(
        `order ${orderId} is not charged`,
        new Error(`its amount is ${amount}, its seats cost ${price}`),
      );
      return this.#settle(request, verdict('voided', voidReasons.amountChanged));
    }
    const terms = { payBy, attemptsMax: GATEWAY_ATTEMPTS_MAX, backoff: GATEWAY_BACKOFF };
    await this.#settle(request, await runSaga(terms, clock.now(), (call) => this.#call(request, call)));
  }

  /**
   * The end of a payment that can't be settled [P2]. Should its key be what the database will not have, it is written
   * under the order's id.
   */
  async #giveUp(request: PaymentRequest): Promise<void> {
    const end = verdict('voided', voidReasons.paymentFailed);
    await this.#settle(request, end).catch(() =>
      this.#settle({ ...request, idempotencyKey: request.orderId }, end),
    );
  }

  /** One call to the payment gateway; every failure of it is an answer to the saga, never an error. */
  async #call(request: PaymentRequest, call: SagaCall): Promise<SagaAnswer> {
    const { gateway, outside } = this.#parts;
    const { clock, random, report } = outside;
    const { orderId, amount, currency, payBy } = request;
    const charge = { orderId, amount, currency };
    const { signal } = this.#stopping;
    if (call.afterMs > 0) await pause(clock, call.afterMs, signal);
    signal.throwIfAborted();
    const failed = (): SagaAnswer => ({ kind: 'failed', now: clock.now(), random: random() });
    // A busy process wakes late from its pause.
    if (clock.now() >= payBy) return failed();
    try {
      if (call.kind === 'capture') {
        const capture = () => gateway.capture(charge, call.reference);
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
      report(`the payment gateway failed to ${call.kind} order ${orderId}`, cause);
      return failed();
    }
  }

  #settle(request: PaymentRequest, end: SagaEnd): Promise<void> {
    const tickets = end.status === 'confirmed' ? request.seats.map(() => newTicketCode()) : [];
    return this.#parts.settlements.settle({ ...end, request, tickets });
  }
}

/** The code of a new ticket, unguessable: characters of Crockford's base 32 from the cryptographic generator. */
function newTicketCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(CODE_LENGTH));
  return Array.from(bytes, (byte) => CODE_ALPHABET.charAt(byte % CODE_ALPHABET.length)).join('');
}

import { createHash } from 'node:crypto';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { Show } from '../catalog/show.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import { type HoldToken, type OrderId, orderId, type SessionId } from '../platform/ids.ts';
import { done, type Outcome, type Refusal, refuse } from '../platform/outcome.ts';
import type { Outside } from '../platform/outside.ts';
import type { SeatRules, SeatStore, UnsettledCheckout } from '../seating/seat-store.ts';
import type { CheckoutKeys } from './checkout-keys.ts';
import { type Order, orderMessage, type OrderStore, processingMessage } from './order-store.ts';
import { answerWithin } from '../platform/retry.ts';
import { AppendRefusedError, type PaymentLog, type PaymentRequest } from '../payment-log/payment-log.ts';
import {
  APPEND_TIMEOUT_MS,
  BUSY_RETRY_MS,
  KEEP_MARGIN_MS,
  KEY_LOOK_TIMEOUT_MS,
  PAYMENT_DEADLINE_MS,
} from './payment-terms.ts';

/** What a buyer wants to pay for. */
export interface CheckoutIntent {
  readonly session: SessionId;
  readonly holdToken: HoldToken;
  /** Made and kept by the client, one per intent to pay. */
  readonly idempotencyKey: string;
  /** What the buyer saw and agreed to, in minor units of the show's currency. */
  readonly amount: number;
}

export interface BeginCheckoutParts {
  readonly outside: Outside;
  readonly seats: SeatStore;
  readonly keys: CheckoutKeys;
  readonly log: PaymentLog;
  readonly orders: OrderStore;
}

/** Looks of one turn of the event loop share a query; one that hangs must not hold up the others. */
const LOOK_BOUNDS = { itemsMax: 500, callsMax: 4 };

/**
 * The command behind "pay": freezes the hold, hands the payment to the log, and says "accepted" once the log has
 * it for good. Nothing waits for the bank, and for the database only a moment, to hear whether the key was used.
 *
 * If the process dies
 * - before the hold is frozen: nothing has happened;
 * - after that, before the log has the request, the key claimed or not: nobody heard of an order; a repeat with the same key hands it over
 *   again, and without one `OverdueCheckouts` does [P2];
 * - after the log has it, before the seats say so: a worker settles it, and `OverdueCheckouts` tells them.
 */
export class BeginCheckout {
  readonly #parts: BeginCheckoutParts;
  readonly #looks: GatheredCalls<OrderId, Order | null>;

  constructor(parts: BeginCheckoutParts) {
    this.#parts = parts;
    const look = async (ids: readonly OrderId[]): Promise<readonly (Order | null)[]> => {
      const found = new Map((await parts.orders.byIds(ids)).map((order) => [order.id, order]));
      return ids.map((id) => found.get(id) ?? null);
    };
    this.#looks = new GatheredCalls(look, parts.outside.nextTurn, LOOK_BOUNDS);
  }

  /**
   * Returns the order, processing, or as it ended where the key is a repeated one. Refusals: those of
   * `CheckoutStep`, and `busy` when the log did not acknowledge: the same key may then be sent again.
   */
  async run(show: Show, rules: SeatRules, intent: CheckoutIntent): Promise<Outcome<OrderMessage>> {
    const id = orderIdOf(intent.session, intent.idempotencyKey);
    const known = await this.#finalOrder(id);
    if (known) return answerOf(known, show, intent);
    const { keys, seats } = this.#parts;
    const claim = `${show.id}:${intent.holdToken}`;
    const keepMs = PAYMENT_DEADLINE_MS + KEEP_MARGIN_MS;
    // Side by side, so that nobody waits twice. A hold frozen under a key that is another hold's is thawed again.
    const [owner, [begun]] = await Promise.all([
      keys.claim(id, claim),
      seats.take(rules, [{ kind: 'checkout', ...intent, orderId: id, keepMs }]),
    ]);
    if (!begun.ok) return this.#refused(show, intent, id, begun, owner === claim);
    if (owner !== claim && !begun.value.repeated) {
      await seats.take(rules, [{ kind: 'abandon', session: intent.session, orderId: id }]);
      return refuse('idempotency-mismatch');
    }
    const { hold, begunAt, repeated } = begun.value;
    const final = repeated ? await this.#finalOrder(hold.orderId) : null;
    if (final) return answerOf(final, show, intent);
    const request = paymentRequestOf(show, { ...intent, ...hold, begunAt });
    const refusal = hold.isAccepted ? null : await this.#handOver(rules, request);
    return refusal ?? done(processingMessage(request));
  }

  /** Null where it has no outcome, or the database does not say: a worker does not charge for an ended order. */
  async #finalOrder(id: OrderId): Promise<Order | null> {
    const { clock, report } = this.#parts.outside;
    const look = (): Promise<Order | null> => this.#looks.add(id);
    return answerWithin(clock, KEY_LOOK_TIMEOUT_MS, 'the order database', look).catch((cause: unknown) => {
      report('nobody knows whether the key of a checkout was used before', cause);
      return null;
    });
  }

  /**
   * Where the hold is gone, its order may have ended meanwhile: then the same intent gets that order. Else the key was
   * not used: unless the hold is being paid for under it by another sum, it may be sent with another hold.
   */
  async #refused(
    show: Show,
    intent: CheckoutIntent,
    id: OrderId,
    refusal: Refusal,
    hasKey: boolean,
  ): Promise<Outcome<OrderMessage>> {
    const { keys, orders } = this.#parts;
    const isGone = refusal.code === 'hold-ended';
    const [order] = isGone ? await orders.byIds([id]) : [];
    if (order) return answerOf(order, show, intent);
    if (!hasKey) return refuse('idempotency-mismatch');
    if (refusal.code !== 'idempotency-mismatch') await keys.giveUp(id);
    return refusal;
  }

  /**
   * Null once the log has the request. Only a request that the log surely has not is given up, if nobody else handed it
   * over; where its fate is unknown the hold stays frozen, because a worker may be charging for it.
   */
  async #handOver(rules: SeatRules, request: PaymentRequest): Promise<Refusal | null> {
    const { log, outside, seats } = this.#parts;
    const { clock, report } = outside;
    const { session, orderId: id } = request;
    try {
      await answerWithin(clock, APPEND_TIMEOUT_MS, 'the payment log', () => log.append([request]));
    } catch (cause) {
      report('a payment could not be handed over', cause);
      if (cause instanceof AppendRefusedError) {
        await seats
          .take(rules, [{ kind: 'abandon', session, orderId: id }])
          .catch((failure: unknown) => report('a checkout could not be given up', failure));
      }
      return refuse('busy', { retryAfterMs: BUSY_RETRY_MS, detail: 'the payment was not taken' });
    }
    // The log's word is what counts; seats that can't be told now are told by `OverdueCheckouts`.
    await seats
      .take(rules, [{ kind: 'accept', session, orderId: id }])
      .catch((cause: unknown) => report('an accepted checkout could not be marked', cause));
    return null;
  }
}

/** A key has one order: whoever comes with other content is refused it. */
function answerOf(order: Order, show: Show, intent: CheckoutIntent): Outcome<OrderMessage> {
  const same =
    order.show === show.id && order.holdToken === intent.holdToken && order.amount === intent.amount;
  return same ? done(orderMessage(order)) : refuse('idempotency-mismatch');
}

const UUID_HEX_DIGITS = 32;
/** The digits of version and variant are left out. */
const HEX_PARTS = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/;

/**
 * The id of the order that a session's idempotency key stands for, a UUID version 8 (RFC 9562) made from both. So a key
 * has one order wherever it is used and whatever any store has forgotten: log, payment gateway and database know the
 * order by its id, and none of them takes it twice [P2].
 */
export function orderIdOf(session: SessionId, idempotencyKey: string): OrderId {
  const hash = createHash('sha256').update(`${session}\n${idempotencyKey}`).digest('hex');
  return orderId(hash.slice(0, UUID_HEX_DIGITS).replace(HEX_PARTS, '$1-$2-8$3-8$4-$5'));
}

/** What the payment log is given; the same whoever hands it over, because its instants are counted from the store's. */
export function paymentRequestOf(
  show: Pick<Show, 'id' | 'currency'>,
  { orderId: id, session, holdToken, idempotencyKey, seats, amount, begunAt }: UnsettledCheckout,
): PaymentRequest {
  return {
    ...{ orderId: id, show: show.id, session, holdToken, idempotencyKey, seats, amount },
    ...{ currency: show.currency, createdAt: begunAt, payBy: begunAt + PAYMENT_DEADLINE_MS },
  };
}

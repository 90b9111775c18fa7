import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { Show } from '../catalog/show.ts';
import type { HoldToken, SessionId } from '../platform/ids.ts';
import { done, type Outcome, type Refusal, refuse } from '../platform/outcome.ts';
import type { Checkout, SeatRules, SeatStore } from '../seating/seat-store.ts';
import type { NewOrderId } from './order-ids.ts';
import { orderMessage, processingMessage } from './order-message.ts';
import type { OrderStore } from './order-store.ts';
import { answerWithin } from '../platform/outside-call.ts';
import { AppendRefusedError, type PaymentLog, type PaymentRequest } from './payment-log.ts';
import { APPEND_TIMEOUT_MS, BUSY_RETRY_MS, KEEP_MARGIN_MS, PAYMENT_DEADLINE_MS } from './payment-terms.ts';

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
  readonly seats: SeatStore;
  readonly log: PaymentLog;
  readonly orders: OrderStore;
  readonly newOrderId: NewOrderId;
  readonly clock: Clock;
  readonly report: (message: string, cause: unknown) => void;
}

/**
 * The command behind "pay": freezes the hold, hands the payment to the log, and says "accepted" once the log has
 * it for good. Nothing waits for the database or the bank.
 *
 * If the process dies
 * - before the hold is frozen: nothing has happened;
 * - after that, before the log has the request: nobody heard "accepted"; a repeat with the same key hands it over
 *   again, and without one the hold ends at its time [P3];
 * - after the log has it: a worker settles it; a repeat with the same key finds the order.
 */
export class BeginCheckout {
  readonly #parts: BeginCheckoutParts;

  constructor(parts: BeginCheckoutParts) {
    this.#parts = parts;
  }

  /**
   * Returns the order, processing, or as it ended where the key is a repeated one. Refusals: those of
   * `SeatStore.beginCheckout`, and `busy` when the log did not acknowledge: the same key may then be sent again.
   */
  async run(show: Show, rules: SeatRules, intent: CheckoutIntent): Promise<Outcome<OrderMessage>> {
    const { clock, newOrderId, seats } = this.#parts;
    const orderId = newOrderId(clock.now());
    const keepMs = PAYMENT_DEADLINE_MS + KEEP_MARGIN_MS;
    const begun = await seats.beginCheckout(rules, { ...intent, orderId, keepMs });
    if (!begun.ok) return begun.code === 'hold-ended' ? this.#endedOrder(show, intent, begun) : begun;
    const { hold, repeated } = begun.value;
    if (repeated) {
      const [final] = await this.#parts.orders.byIds([hold.orderId]);
      if (final) return done(orderMessage(final));
    }
    const request = requestOf(show, intent, begun.value);
    const refusal = await this.#append(rules, request, repeated);
    return refusal ?? done(processingMessage(request, request.createdAt));
  }

  /** The hold is gone, perhaps because its order has ended: then the same intent gets that order. */
  async #endedOrder(show: Show, intent: CheckoutIntent, refusal: Refusal): Promise<Outcome<OrderMessage>> {
    const order = await this.#parts.orders.byKey(intent.session, intent.idempotencyKey);
    if (!order) return refusal;
    const same =
      order.show === show.id && order.holdToken === intent.holdToken && order.amount === intent.amount;
    return same ? done(orderMessage(order)) : refuse('idempotency-mismatch');
  }

  /**
   * Null once the log has the request. Only a request that the log surely has not is given up; where its fate is
   * unknown the hold stays frozen, because a worker may be charging for it.
   */
  async #append(rules: SeatRules, request: PaymentRequest, repeated: boolean): Promise<Refusal | null> {
    const { clock, log, report, seats } = this.#parts;
    try {
      await answerWithin(clock, APPEND_TIMEOUT_MS, 'the payment log', () => log.append([request]));
      return null;
    } catch (cause) {
      report('a payment could not be handed over', cause);
      // A repeat is not the one to give up: the first try may have been taken meanwhile.
      if (cause instanceof AppendRefusedError && !repeated) {
        await seats
          .abandonCheckout(rules, request.session, request.orderId)
          .catch((failure: unknown) => report('a checkout could not be given up', failure));
      }
      return refuse('busy', { retryAfterMs: BUSY_RETRY_MS, detail: 'the payment was not taken' });
    }
  }
}

/** The same for every repeat of a key, on whichever node: instants are counted from the store's. */
function requestOf(
  show: Show,
  { session, idempotencyKey }: CheckoutIntent,
  { hold, begunAt }: Checkout,
): PaymentRequest {
  return {
    orderId: hold.orderId,
    show: show.id,
    session,
    holdToken: hold.holdToken,
    idempotencyKey,
    seats: hold.seats,
    amount: hold.amount,
    currency: show.currency,
    createdAt: begunAt,
    payBy: begunAt + PAYMENT_DEADLINE_MS,
  };
}

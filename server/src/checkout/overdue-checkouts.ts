import type { Show } from '../catalog/show.ts';
import type { OrderId, ShowId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { answerWithin } from '../platform/retry.ts';
import type { SeatRules, SeatStore, Settlement, UnsettledCheckout } from '../seating/seat-store.ts';
import { paymentRequestOf } from './begin-checkout.ts';
import { type Order, orderMessage, type OrderStore } from './order-store.ts';
import type { PaymentLog } from '../payment-log/payment-log.ts';
import { APPEND_TIMEOUT_MS, STORE_TIMEOUT_MS } from './payment-terms.ts';
import { settlementOf } from './settlements.ts';

export interface OverdueCheckoutsParts {
  readonly outside: Outside;
  readonly seats: SeatStore;
  readonly orders: OrderStore;
  readonly log: PaymentLog;
}

/**
 * Looks after checkouts that whoever began them did not see through: a script that ran after its caller had given up,
 * a process that died between freeze and log, a log that was away. Their requests are handed over again, however late:
 * a worker charges for them while there is time, and voids them after that, so that every one ends with a row [P2].
 * Any number of nodes may do so: log, gateway and database know an order by its id.
 */
export class OverdueCheckouts {
  readonly #parts: OverdueCheckoutsParts;

  constructor(parts: OverdueCheckoutsParts) {
    this.#parts = parts;
  }

  /** Whether there were any. Rejects where the log did not take them; the store gives them out again. */
  async handOver(show: Pick<Show, 'id' | 'currency'>, rules: SeatRules): Promise<boolean> {
    const { log, outside, seats } = this.#parts;
    for (let rounds = 0; ; rounds++) {
      const overdue = await seats.overdueCheckouts(rules);
      if (overdue.length === 0) return rounds > 0;
      const finals = await this.#finalsOf(overdue);
      const ended = overdue.flatMap((one) => endOf(show.id, one, finals.get(one.orderId)));
      if (ended.length > 0) await seats.settle(rules, ended);
      const missing = overdue.filter(({ orderId }) => !finals.has(orderId));
      const requests = missing.map((one) => paymentRequestOf(show, one));
      await answerWithin(outside.clock, APPEND_TIMEOUT_MS, 'the payment log', () => log.append(requests));
      await seats.take(
        rules,
        missing.map(({ session, orderId }) => ({ kind: 'accept', session, orderId })),
      );
    }
  }

  /** Without the database every one is handed over: to those that have ended it changes nothing. */
  async #finalsOf(checkouts: readonly UnsettledCheckout[]): Promise<ReadonlyMap<OrderId, Order>> {
    const { orders, outside } = this.#parts;
    const look = () => orders.byIds(checkouts.map((one) => one.orderId));
    const found = await answerWithin(outside.clock, STORE_TIMEOUT_MS, 'the order database', look).catch(
      (cause: unknown) => {
        outside.report('overdue checkouts could not be looked up', cause);
        return [];
      },
    );
    return new Map(found.map((order) => [order.id, order]));
  }
}

/**
 * What the outcome of its key's order means to a checkout. Where that order is another checkout's, begun at the same
 * moment with the same key, this one was never paid for: its hold goes back to the buyer.
 */
function endOf(
  show: ShowId,
  { session, holdToken }: UnsettledCheckout,
  order: Order | undefined,
): Settlement[] {
  if (!order) return [];
  if (order.show === show && order.holdToken === holdToken) return [settlementOf(order)];
  return [{ kind: 'returned', session, holdToken, order: orderMessage(order) }];
}

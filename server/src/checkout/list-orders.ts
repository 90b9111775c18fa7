import { ORDERS_LISTED_MAX } from '@stampede/shared/protocol/limits.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { Show } from '../catalog/show.ts';
import type { SessionId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import type { SeatStore } from '../seating/seat-store.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import { type Order, orderMessage, type OrderStore, processingMessage } from './order-store.ts';

export interface ListOrdersParts {
  readonly orders: OrderStore;
  readonly seats: SeatStore;
  readonly outside: Pick<Outside, 'nextTurn'>;
}

type OnSale = Pick<Show, 'id' | 'currency'>;

/** Sessions of one query [P7]. */
const SESSIONS_MAX = 500;

/**
 * Lists a buyer's own orders [P6]: final ones from the database, processing ones from the holds they have frozen.
 * What the payment log is not known to have is nobody's order yet.
 * Everybody who enters a sale is told theirs, so what is asked in one turn of the event loop is one query.
 */
export class ListOrders {
  readonly #parts: ListOrdersParts;
  readonly #final: GatheredCalls<SessionId, readonly Order[]>;

  constructor(parts: ListOrdersParts) {
    this.#parts = parts;
    const read = async (sessions: readonly SessionId[]): Promise<(readonly Order[])[]> => {
      const lists = await parts.orders.ofSessions(sessions, ORDERS_LISTED_MAX);
      return sessions.map((session) => lists.get(session) ?? []);
    };
    this.#final = new GatheredCalls(read, parts.outside.nextTurn, { itemsMax: SESSIONS_MAX, callsMax: 1 });
  }

  /** Newest first; orders of `shows` that are processing are among them. */
  async run(session: SessionId, shows: Iterable<OnSale>): Promise<readonly OrderMessage[]> {
    // Holds are read first: an order that is settled in between is then in both, and its outcome counts.
    const processing = await Promise.all(Array.from(shows, (show) => this.#processing(session, show)));
    const byId = new Map(processing.flat().map((order) => [order.id, order]));
    for (const order of await this.#final.add(session)) byId.set(order.id, orderMessage(order));
    return [...byId.values()].toSorted((a, b) => b.createdAt - a.createdAt).slice(0, ORDERS_LISTED_MAX);
  }

  async #processing(session: SessionId, { id, currency }: OnSale): Promise<OrderMessage[]> {
    const hold = await this.#parts.seats.holdOf(id, session);
    if (!hold?.orderId || !hold.isAccepted) return [];
    const { orderId, seats, amount, begunAt } = hold;
    return [processingMessage({ orderId, show: id, seats, amount, currency, createdAt: begunAt })];
  }
}

/** Whether a session has bought anything. */
export async function hasTickets(orders: OrderStore, session: SessionId): Promise<boolean> {
  const list = (await orders.ofSessions([session], ORDERS_LISTED_MAX)).get(session) ?? [];
  return list.some((order) => order.tickets.length > 0);
}

import { ORDERS_LISTED_MAX } from '@stampede/shared/protocol/limits.ts';
import type { TicketOrder } from './ticket-order.ts';

/** The part of `Storage` that is needed, so that tests bring their own. */
type TicketStore = Pick<Storage, 'getItem' | 'setItem'>;

/** Of this browser. Merely touching storage throws where it is forbidden, so it is touched where that is expected. */
export const browserStore: TicketStore = {
  getItem: (name) => localStorage.getItem(name),
  setItem: (name, value) => localStorage.setItem(name, value),
};

const STORAGE_KEY = 'stampede:tickets';
/** Rises when what is kept could no longer be read by an older page. */
const VERSION = 1;
/** Nobody is asked for a ticket this long after the show. */
const KEPT_AFTER_SHOW_MS = 30 * 24 * 3_600_000;

/** The tickets in this browser, newest order first: those of sessions that have ended too. */
export function readKeptTickets(store: TicketStore): readonly TicketOrder[] {
  try {
    const [version, orders] = JSON.parse(store.getItem(STORAGE_KEY) ?? '[]') as [number?, TicketOrder[]?];
    return version === VERSION && Array.isArray(orders) ? orders : [];
  } catch {
    // Storage that is forbidden, or holds something else, is as good as empty.
    return [];
  }
}

/** Keeps orders in this browser, in place of what was kept of them before. */
export function keepTickets(orders: readonly TicketOrder[], store: TicketStore, now: number): void {
  const all = withKept(orders, readKeptTickets(store))
    .filter(({ show }) => now < Date.parse(show.startsAt) + KEPT_AFTER_SHOW_MS)
    .slice(0, ORDERS_LISTED_MAX);
  try {
    store.setItem(STORAGE_KEY, JSON.stringify([VERSION, all]));
  } catch {
    // Without storage the tickets are shown as long as there is a network.
  }
}

/** Fresh orders and those that are only kept, newest first. */
export function withKept(
  fresh: readonly TicketOrder[],
  kept: readonly TicketOrder[],
): readonly TicketOrder[] {
  const all = new Map(kept.map((order) => [order.id, order]));
  for (const order of fresh) {
    const recoveryCode = order.recoveryCode ?? all.get(order.id)?.recoveryCode ?? null;
    all.set(order.id, { ...order, recoveryCode });
  }
  return [...all.values()].sort((a, b) => b.createdAt - a.createdAt);
}

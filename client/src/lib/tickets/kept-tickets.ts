import { ORDERS_LISTED_MAX } from '@stampede/shared/protocol/limits.ts';
import type { BrowserShelf } from '#lib/browser-shelf.ts';
import type { TicketOrder } from './ticket-order.ts';

const STORAGE_KEY = 'stampede:tickets';
/** Rises when what is kept could no longer be read by an older page. */
const VERSION = 1;
/** Nobody is asked for a ticket this long after the show. */
const KEPT_AFTER_SHOW_MS = 30 * 24 * 3_600_000;

/** The tickets in this browser, newest order first: those of sessions that have ended too. */
export function readKeptTickets(shelf: BrowserShelf): readonly TicketOrder[] {
  const kept = shelf.readJson(STORAGE_KEY);
  if (!Array.isArray(kept) || kept[0] !== VERSION || !Array.isArray(kept[1])) return [];
  return kept[1] as readonly TicketOrder[];
}

/** Keeps orders in this browser, in place of what was kept of them before. */
export function keepTickets(orders: readonly TicketOrder[], shelf: BrowserShelf, now: number): void {
  const all = withKept(orders, readKeptTickets(shelf))
    .filter(({ show }) => now < Date.parse(show.startsAt) + KEPT_AFTER_SHOW_MS)
    .slice(0, ORDERS_LISTED_MAX);
  shelf.keep(STORAGE_KEY, JSON.stringify([VERSION, all]));
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

import type { ClientView } from '@stampede/shared/client/stampede-client.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';

/** Where a buyer stands, read afresh from all that the server told. */
export type Situation =
  /** No connection, or the show is not entered yet. */
  | { readonly at: 'away' }
  /** The waiting room has not opened, or the sale is paused: nothing to do but wait. */
  | { readonly at: 'early' }
  | { readonly at: 'outside' }
  | { readonly at: 'queued' }
  | { readonly at: 'shopping' }
  | { readonly at: 'holding' }
  | { readonly at: 'paying' }
  | { readonly at: 'turned-down'; readonly order: OrderMessage }
  | { readonly at: 'owner'; readonly order: OrderMessage }
  /** Everything is sold, or the sale has ended. */
  | { readonly at: 'over' };

/** What the situation is read from. */
export type Knowledge = Pick<ClientView, 'connection' | 'sale' | 'phase' | 'standing' | 'hold' | 'orders'>;

/**
 * Reads a buyer's situation. Level-triggered: it depends on what is true now and not on how it came about, so that
 * a reconnect in any moment needs no case of its own.
 * @param answered orders whose decline or voiding the buyer has already taken in
 */
export function situationOf(known: Knowledge, answered: ReadonlySet<string>): Situation {
  const byOrder = situationByOrders(known.orders.values(), answered);
  if (byOrder) return byOrder;
  const { sale, phase, hold, standing } = known;
  if (known.connection.state !== 'open' || !sale || !phase) return { at: 'away' };
  if (hold) return { at: hold.payment === 'none' ? 'holding' : 'paying' };
  switch (phase.phase) {
    case 'sold-out':
    case 'closed':
      return { at: 'over' };
    case 'scheduled':
      return { at: 'early' };
    case 'lobby':
    case 'open':
    case 'paused':
      break;
  }
  switch (standing.state) {
    case 'unknown':
      return { at: 'away' };
    case 'outside':
      return { at: 'outside' };
    case 'waiting':
      return { at: 'queued' };
    case 'admitted':
      return { at: phase.phase === 'open' ? 'shopping' : 'early' };
  }
}

function situationByOrders(orders: Iterable<OrderMessage>, answered: ReadonlySet<string>): Situation | null {
  let found: Situation | null = null;
  for (const order of orders) {
    if (order.status === 'confirmed') return { at: 'owner', order };
    if (order.status === 'processing') found = { at: 'paying' };
    else if (!answered.has(order.id)) found ??= { at: 'turned-down', order };
  }
  return found;
}

import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { StepOf } from './flow.ts';
import type { StepResult, VirtualBuyer } from './virtual-buyer.ts';

/** After a decline the hold comes back within this, or it has run out. */
const HOLD_RETURN_SECONDS = 5;

/** Pays for what is held and waits until the order has its outcome. */
export async function checkOut(
  buyer: VirtualBuyer,
  { attempts, within }: StepOf<'checkout'>['options'],
): Promise<StepResult> {
  const { metrics, journal } = buyer.house;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const order = await payOnce(buyer, within);
    if (typeof order === 'string') {
      const isOpen = order === 'late' || order === 'timed-out' || order === 'disconnected';
      if (isOpen) journal.write({ type: 'undecided', buyer: buyer.number });
      return order;
    }
    if (order.status === 'confirmed') {
      takeTickets(buyer, order);
      return 'ok';
    }
    if (order.status !== 'declined') {
      buyer.detail = order.reason;
      return 'voided';
    }
    metrics.count('payments_declined');
    const isBack = (): boolean => buyer.client.view.hold?.payment === 'none';
    if (attempt < attempts && !(await buyer.until(isBack, HOLD_RETURN_SECONDS))) return 'hold-ended';
  }
  buyer.fate = 'declined';
  return 'declined';
}

/** One payment under a key of its own; the order once it has its outcome. */
async function payOnce(buyer: VirtualBuyer, within: number): Promise<OrderMessage | StepResult> {
  const { client, house } = buyer;
  const { map, prices } = house.show;
  const seats = client.view.hold?.seats ?? [];
  const amount = seats.reduce((sum, seat) => sum + (prices[map.priceLevel[seat] ?? -1] ?? 0), 0);
  const idempotencyKey = house.keys.keyOf(buyer.number, buyer.payments);
  buyer.payments++;
  buyer.become('paying');
  const clickedAt = house.stopwatch();
  const answer = await buyer.ask('checkout', () => client.checkout({ idempotencyKey, amount }));
  if (!answer.ok) return answer.code;
  const order = (): OrderMessage => client.view.orders.get(answer.order.id) ?? answer.order;
  if (!(await buyer.until(() => order().status !== 'processing', within))) return 'late';
  house.metrics.waited('settle', house.stopwatch() - clickedAt);
  return order();
}

function takeTickets(buyer: VirtualBuyer, { id, seats, tickets }: OrderMessage): void {
  const { metrics, journal } = buyer.house;
  const told = seats.map((seat, index) => ({
    buyer: buyer.number,
    orderId: id,
    seat,
    ticketCode: tickets[index] ?? '',
  }));
  journal.write({ type: 'told', seats: told });
  metrics.count('tickets', seats.length);
  if (tickets.length !== seats.length) {
    metrics.error('checkout', 'broken', 'a confirmed order lacks tickets', buyer.number);
  }
  buyer.fate = 'owners';
  buyer.become('shopping');
}

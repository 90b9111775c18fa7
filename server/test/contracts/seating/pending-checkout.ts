import type { SessionId } from '../../../src/platform/ids.ts';
import type { Checkout } from '../../../src/seating/seat-steps.ts';
import type { SeatFacts } from '../../../src/seating/seat-store.ts';
import { priceOf } from './seat-stand.ts';

/** What the payment log says of a checkout that a `SeatStand` began. */
export function pendingOf(
  session: SessionId,
  hold: Checkout['hold'],
  begunAt: number,
): SeatFacts['checkouts'][number] {
  const { holdToken, orderId, seats, amount, expiresAt: keepUntil } = hold;
  const prices = seats.map(priceOf);
  return {
    session,
    holdToken,
    orderId,
    idempotencyKey: 'key-one-',
    seats,
    prices,
    amount,
    begunAt,
    keepUntil,
  };
}

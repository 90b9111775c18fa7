import { createHash } from 'node:crypto';
import { type OrderId, orderId, type SessionId } from '../platform/ids.ts';

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

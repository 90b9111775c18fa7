import type { ServerMessageOf } from '@stampede/shared/protocol/messages.ts';
import type { Hold } from '../seating/seat-store.ts';

/** A hold as it travels; `requestId` 0 for a push. */
export function holdMessage(hold: Hold, requestId: number, now: number): ServerMessageOf<'hold'> {
  const { holdToken, seats, expiresAt, extensionsLeft, orderId } = hold;
  return { type: 'hold', requestId, holdToken, seats, expiresAt, now, extensionsLeft, orderId };
}

import type { Hold } from '../seating/hold.ts';
import type { ServerMessageOf } from '@stampede/shared/protocol/messages.ts';

/** A hold as it travels; `requestId` 0 for a push. Nobody hears of an order before the payment log has it [P2]. */
export function holdMessage(hold: Hold, requestId: number, now: number): ServerMessageOf<'hold'> {
  const { holdToken, seats, expiresAt, extensionsLeft, revision } = hold;
  const orderId = hold.isAccepted ? hold.orderId : null;
  const payment = hold.orderId === null ? 'none' : hold.isAccepted ? 'accepted' : 'handing-over';
  return {
    ...{ type: 'hold', requestId, holdToken, seats, expiresAt, now, extensionsLeft },
    ...{ orderId, payment, revision },
  };
}

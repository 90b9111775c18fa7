import type { HoldEndReason } from '@stampede/shared/protocol/messages.ts';
import type { HoldToken, OrderId, SeatIndex } from '../platform/ids.ts';

/** A buyer's time-limited claim on seats. A buyer has at most one live hold per show. */
export interface Hold {
  readonly holdToken: HoldToken;
  /** In the order they were taken. */
  readonly seats: readonly SeatIndex[];
  /** What the seats cost together, in minor units. */
  readonly amount: number;
  readonly expiresAt: number;
  readonly extensionsLeft: number;
  /** The order that is paying for the seats: while it does, nothing about the hold can change. */
  readonly orderId: OrderId | null;
  /** When it was frozen for that order; 0 without one. */
  readonly begunAt: number;
  /** Whether the payment log is known to have that order: only then may anybody be told of it [P2]. */
  readonly isAccepted: boolean;
  /** Rises with every change of the hold, and is above what it was before a loss of the store. */
  readonly revision: number;
}

export interface ReleasedHold {
  readonly holdToken: HoldToken;
  readonly seats: readonly SeatIndex[];
  readonly reason: HoldEndReason;
  readonly revision: number;
}

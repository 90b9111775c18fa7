import type { CloseReason, RefusalCode } from '../protocol/codes.ts';
import type { HoldEndReason, OrderMessage, OutsideReason, ServerMessageOf } from '../protocol/messages.ts';
import type { SeatChange } from '../seat-map/section-delta.ts';
import type { SectionState } from '../seat-map/section-feed.ts';
import type { SectionSummary } from '../seat-map/section-summary.ts';

/**
 * A request that had no effect that we know of: refused by the server, or its answer never came. After
 * `disconnected` and `timed-out` the outcome is unknown; the view tells it once the show was entered again.
 */
export interface Refused {
  readonly ok: false;
  readonly code: RefusalCode | 'disconnected' | 'timed-out';
  readonly seats: readonly number[];
  readonly retryAfterMs: number;
  readonly detail: string;
}

export type Answer<T = object> = ({ readonly ok: true } & T) | Refused;

/** `nextAttemptAt` is in this machine's time, in milliseconds since the Unix epoch. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  /** A question has gone unanswered for a while: what is shown may be old. */
  | { readonly state: 'silent' }
  | { readonly state: 'reconnecting'; readonly attempt: number; readonly nextAttemptAt: number }
  | { readonly state: 'stopped'; readonly reason: CloseReason | 'by-user' };

/** Where the buyer stands with the show. `deadline` is in the server's time. */
export type Standing =
  | { readonly state: 'unknown' }
  | { readonly state: 'outside'; readonly reason: OutsideReason }
  | ({ readonly state: 'waiting' } & Pick<ServerMessageOf<'waiting'>, 'position' | 'behind' | 'wait'>)
  | { readonly state: 'admitted'; readonly deadline: number };

/**
 * The buyer's live hold. `expiresAt` is in the server's time. While `payment` is another than `none`, nothing about the
 * hold can change. `handing-over`: the same checkout may be sent again to hurry it; if nobody does, the server goes on
 * by itself.
 */
export type HoldView = Pick<
  ServerMessageOf<'hold'>,
  'holdToken' | 'seats' | 'expiresAt' | 'extensionsLeft' | 'orderId' | 'payment'
>;

export type Sale = Pick<ServerMessageOf<'entered'>, 'show' | 'epoch' | 'seatsPerBuyer' | 'holdLifetimeMs'>;

export type PhaseView = Pick<ServerMessageOf<'phase'>, 'phase' | 'lobbyAt' | 'opensAt'>;

/** Always the latest truth known here; reading it afresh is cheap. Maps are changed in place. */
export interface ClientView {
  readonly connection: Connection;
  /** Add it to the clock's time to get the server's. */
  readonly serverTimeOffsetMs: number;
  readonly sale: Sale | null;
  readonly phase: PhaseView | null;
  readonly standing: Standing;
  readonly hold: HoldView | null;
  readonly orders: ReadonlyMap<string, OrderMessage>;
  readonly summaries: ReadonlyMap<number, SectionSummary>;
  /** The watched sections that have data. */
  readonly sections: ReadonlyMap<number, SectionState>;
}

/** What changed in the view; listeners are called after the view shows it. */
export type ClientChange =
  | { readonly kind: 'connection' }
  | { readonly kind: 'sale' }
  | { readonly kind: 'phase' }
  | { readonly kind: 'standing' }
  | {
      readonly kind: 'hold';
      /** Why it is over; null while there is one, and when it ended while we were away. */
      readonly ended: { readonly reason: HoldEndReason; readonly seats: readonly number[] } | null;
    }
  | { readonly kind: 'order'; readonly order: OrderMessage }
  | { readonly kind: 'summaries'; readonly sections: readonly number[] }
  | {
      readonly kind: 'seats';
      readonly section: number;
      /** Null: the whole section was replaced by a snapshot. */
      readonly changes: readonly SeatChange[] | null;
    };

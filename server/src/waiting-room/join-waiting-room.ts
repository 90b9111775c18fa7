import type { SessionId } from '../platform/ids.ts';
import { type Outcome, refuse } from '../platform/outcome.ts';
import { phaseOf } from './on-sale-phase.ts';
import { type OnSale, rulesOf, type WaitingRoomSettings } from './waiting-room-rules.ts';
import type { Standing, WaitingRoomStore } from './waiting-room-store.ts';

/** What the waiting room's commands work with. */
export interface WaitingRoomParts {
  readonly store: WaitingRoomStore;
  readonly settings: WaitingRoomSettings;
}

export interface JoinRequest {
  readonly show: OnSale;
  /** Whether every seat is sold at the moment. */
  readonly soldOut: boolean;
  readonly session: SessionId;
}

/**
 * Takes a place in a show's waiting room from the lobby on, or returns the place or admission that the session has
 * [P4]. Refusals: `sale-not-open` with the time until the lobby, `sold-out`, `sale-closed`, `queue-full`.
 *
 * The store takes whoever joins for present. A transport whose last socket of the session went meanwhile, or that
 * has no sockets, tells the store so after this has resolved; the grace time begins then [X4].
 */
export async function joinWaitingRoom(
  { store, settings }: WaitingRoomParts,
  { show, soldOut, session }: JoinRequest,
  now: number,
): Promise<Outcome<Standing>> {
  const phase = phaseOf(show.sale, show.paused, soldOut, now);
  switch (phase) {
    case 'scheduled': {
      const begins = Math.min(show.sale.lobbyAt, show.sale.opensAt);
      return refuse('sale-not-open', { retryAfterMs: Math.ceil(begins - now) });
    }
    case 'closed':
      return refuse('sale-closed');
    case 'sold-out':
      return refuse('sold-out');
    case 'lobby':
    case 'open':
    case 'paused':
      return store.join(rulesOf(show, settings), session);
  }
}

import type { Phase } from '@stampede/shared/protocol/messages.ts';
import type { SessionId } from '../platform/ids.ts';
import { type Outcome, refuse } from '../platform/outcome.ts';
import { phaseOf } from './on-sale-phase.ts';
import type { PlaceReceipts } from './place-receipts.ts';
import { type OnSale, rulesOf, type WaitingRoomSettings } from './waiting-room-rules.ts';
import type { Arrival, Standing, WaitingRoomStore } from './waiting-room-store.ts';

/** What the waiting room's commands work with. */
export interface WaitingRoomParts {
  readonly store: WaitingRoomStore;
  readonly settings: WaitingRoomSettings;
  readonly receipts: PlaceReceipts;
}

/** Between asking so often that it costs more than it gains, and so seldom that somebody else is always faster. */
const FULL_RETRY_MIN_MS = 5_000;
const FULL_RETRY_MAX_MS = 60_000;

export interface JoinRequest extends Pick<Arrival, 'network'> {
  readonly show: OnSale;
  /** Whether every seat is sold at the moment. */
  readonly soldOut: boolean;
  readonly session: SessionId;
  /** What the buyer kept of a place; absent or null: nothing. */
  readonly receipt?: string | null;
}

/**
 * Takes a place in a show's waiting room from the lobby on, or returns the place or admission that the session has
 * [P4]. Refusals: `sale-not-open` with the time until the lobby, `sold-out`, `sale-closed`, `network-full`
 * and `queue-full` with the time until trying again makes sense.
 * A place that the store lost comes back with its receipt, in its order.
 *
 * The store takes whoever joins for present. A transport whose last socket of the session went meanwhile, or that
 * has no sockets, tells the store so after this has resolved; the grace time begins then [X4].
 */
export async function joinWaitingRoom(
  { store, settings, receipts }: WaitingRoomParts,
  { show, soldOut, session, network = null, receipt = null }: JoinRequest,
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
    case 'paused': {
      const lost = receipts.read(show.id, session, receipt);
      const joined = await store.join(rulesOf(show, settings), session, { network, lost });
      return withRetry(joined, phase, show, settings);
    }
  }
}

/** A refused place is worth another try once one in a hundred of those in line was let in, by the terms. */
function withRetry(
  outcome: Outcome<Standing>,
  phase: Phase,
  { sale }: OnSale,
  { queueMax }: WaitingRoomSettings,
): Outcome<Standing> {
  if (outcome.ok) return outcome;
  const movesOnMs = phase === 'open' ? (queueMax / 100 / sale.admissionsPerSecond) * 1_000 : Infinity;
  const retryAfterMs = Math.ceil(Math.min(FULL_RETRY_MAX_MS, Math.max(FULL_RETRY_MIN_MS, movesOnMs)));
  return { ...outcome, retryAfterMs };
}

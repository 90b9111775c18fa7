import type { Phase } from '@stampede/shared/protocol/messages.ts';
import type { SaleTerms, Show } from '../catalog/show.ts';
import type { SessionId } from '../platform/ids.ts';
import { type Outcome, refuse } from '../platform/outcome.ts';
import type { PlaceReceipts } from './place-receipts.ts';
import { type Arrival, PRESENCE_MS, type Standing } from './waiting-room-store.ts';
import type { WaitingRoomRules, WaitingRoomStore } from './waiting-room-store.ts';

/** What of a show its waiting room needs to know. */
export type OnSale = Pick<Show, 'id' | 'sale' | 'drawSeed' | 'paused'>;

/** What a deployment decides about its waiting rooms, whatever the show. */
export type WaitingRoomSettings = Pick<
  WaitingRoomRules,
  'graceMs' | 'claimMs' | 'queueMax' | 'placesPerNetworkMax'
>;

/** The rules of a show's waiting room: its own terms and the deployment's settings. */
export function rulesOf({ id, sale, drawSeed }: OnSale, settings: WaitingRoomSettings): WaitingRoomRules {
  return { ...sale, ...settings, show: id, drawSeed, presenceMs: PRESENCE_MS };
}

/** The instants that move an on-sale by themselves, in milliseconds since the Unix epoch. */
export type SaleInstants = Pick<SaleTerms, 'lobbyAt' | 'opensAt' | 'closesAt'>;

/**
 * Where an on-sale stands at `now`. An instant belongs to the phase it begins. Time decides first: a pause before
 * the opening shows only from the opening on, and after `closesAt` nothing can come back on sale, so that `closed`
 * outranks `sold-out`. An on-sale whose lobby would begin after its opening has none.
 */
export function phaseOf(terms: SaleInstants, paused: boolean, soldOut: boolean, now: number): Phase {
  if (now >= terms.closesAt) return 'closed';
  if (now < terms.opensAt) return now < terms.lobbyAt ? 'scheduled' : 'lobby';
  if (soldOut) return 'sold-out';
  return paused ? 'paused' : 'open';
}

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
 * has no sockets, tells the store so after this has resolved; the grace time begins then.
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

/**
 * Lets people in and ends what ran out in one show's waiting room. It needs no leader: every node may do so again and
 * again, because the store's limits hold for all nodes together, and a node that dies between two steps leaves
 * nothing that the next round of any other doesn't do. Rejects when a step failed, which keeps nobody from the other.
 * @param onAdmitted told how many were let in
 */
export async function serveWaitingRoom(
  { store, settings }: Pick<WaitingRoomParts, 'store' | 'settings'>,
  { show, soldOut }: Pick<JoinRequest, 'show' | 'soldOut'>,
  now: number,
  onAdmitted: (count: number) => void,
): Promise<void> {
  const phase = phaseOf(show.sale, show.paused, soldOut, now);
  if (phase === 'scheduled' || isRoomOver(show, now)) return;
  const rules = rulesOf(show, settings);
  // Sweeping first gives the slots that come back to the next in line at once.
  const swept = store.expire(rules);
  await Promise.all([swept, phase === 'open' ? store.admit(rules).then(onAdmitted) : null]);
}

/**
 * Whether the last admission that a closed on-sale can have given has run out: a claim, which is no longer than an
 * admission, that was turned into one.
 */
export function isRoomOver({ sale }: Pick<OnSale, 'sale'>, now: number): boolean {
  return now > sale.closesAt + 2 * sale.admissionLifetimeMs;
}

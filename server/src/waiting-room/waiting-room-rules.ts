import type { Show } from '../catalog/show.ts';
import type { WaitingRoomRules } from './waiting-room-store.ts';

/** What of a show its waiting room needs to know. */
export type OnSale = Pick<Show, 'id' | 'sale' | 'drawSeed' | 'paused'>;

/** Nodes tell who is present three times as often; a node that is busy for seconds makes nobody absent. */
export const PRESENCE_MS = 60_000;

/**
 * Admissions wait so long from the first place that is given back: buyers come back within this, and until they have, the
 * head of the line is only whoever was fastest.
 */
export const RESTORING_MS = 3_000;

/** What a deployment decides about its waiting rooms, whatever the show. */
export type WaitingRoomSettings = Pick<
  WaitingRoomRules,
  'graceMs' | 'claimMs' | 'queueMax' | 'placesPerNetworkMax'
>;

/** The rules of a show's waiting room: its own terms and the deployment's settings. */
export function rulesOf(show: OnSale, settings: WaitingRoomSettings): WaitingRoomRules {
  const { opensAt, admissionsPerSecond, admissionBurst, admittedMax, admissionLifetimeMs } = show.sale;
  const { graceMs, claimMs, queueMax, placesPerNetworkMax } = settings;
  return {
    show: show.id,
    opensAt,
    drawSeed: show.drawSeed,
    admissionsPerSecond,
    admissionBurst,
    admittedMax,
    admissionLifetimeMs,
    graceMs,
    presenceMs: PRESENCE_MS,
    claimMs,
    queueMax,
    placesPerNetworkMax,
  };
}

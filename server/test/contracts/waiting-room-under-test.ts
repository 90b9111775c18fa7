import { randomInt } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { type SessionId, sessionId, showId, type ShowId } from '../../src/platform/ids.ts';
import type { Notice } from '../../src/feed/show-feed.ts';
import type { WaitingRoomRules, WaitingRoomStore } from '../../src/waiting-room/waiting-room-store.ts';

/** A store with the two views that others have of it. */
export interface WaitingRoomUnderTest {
  /** The store, its clock at an instant. */
  readonly at: (now: number) => WaitingRoomStore;
  /** What the seat store would find in its own atomic step. */
  isAdmitted(show: ShowId, session: SessionId, now: number): Promise<boolean>;
  /** Every notice written to the show's feed so far, in order. */
  notices(show: ShowId): Promise<readonly Notice[]>;
  /** Loses everything that the store knows of a show. */
  lose(show: ShowId): Promise<void>;
  close(): Promise<void>;
}

export const OPENS_AT = 1_900_000_000_000;
export const DRAW_SEED = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
export const LIFETIME_MS = 600_000;
export const GRACE_MS = 60_000;
export const CLAIM_MS = 30_000;
/** A day: who took a place is believed to be there, but for the rules about nodes that died. */
export const PRESENCE_MS = 86_400_000;
const SHOW_IDS = 2 ** 31;

/** A store's clock that tests set. */
export function settableClock(): { readonly clock: Clock; readonly set: (now: number) => void } {
  const clock = new ManualClock(OPENS_AT);
  return { clock, set: (now) => clock.set(now - clock.now()) };
}

/** Shows are fresh in every test and run: a store that outlives the process keeps those of earlier ones. */
export function freshRules(more: Partial<WaitingRoomRules> = {}): WaitingRoomRules {
  return {
    show: showId(randomInt(1, SHOW_IDS)),
    opensAt: OPENS_AT,
    drawSeed: DRAW_SEED,
    admissionsPerSecond: 10,
    admissionBurst: 5,
    admittedMax: 100,
    admissionLifetimeMs: LIFETIME_MS,
    graceMs: GRACE_MS,
    presenceMs: PRESENCE_MS,
    claimMs: CLAIM_MS,
    queueMax: 1_000,
    placesPerNetworkMax: 1_000,
    ...more,
  };
}

export function sessions(count: number): SessionId[] {
  return Array.from({ length: count }, (_, index) => sessionId(`buyer-${String(index)}`));
}

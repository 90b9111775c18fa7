import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { ShowDraft } from '../../../src/catalog/show.ts';
import { draftOf, layoutOf } from '../../../test/integration/app-stand-show.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const ANY_NUMBER = 1_000_000;
/** Minor units, every seat. */
export const PRICE = 5_000;

/** What a benchmark sells. */
export interface BenchVenue {
  readonly sections: number;
  readonly seatsPerSection: number;
  readonly seatsPerBuyer: number;
  /** Whether everybody stays in the lobby, waiting. */
  readonly lobbyOnly?: boolean;
}

/** Sections side by side: a map that nobody looks at. */
export function benchLayout({ sections, seatsPerSection }: BenchVenue): VenueLayout {
  return layoutOf(`bench-${sections}-${seatsPerSection}`, Array<number>(sections).fill(seatsPerSection));
}

/** A show in it whose sale is open to everybody at once, or whose lobby is. */
export function benchDraft(venue: BenchVenue, now: number): ShowDraft {
  const draft = draftOf('Bench', benchLayout(venue).id, now, {
    lobbyAt: -2 * MINUTE_MS,
    opensAt: venue.lobbyOnly ? DAY_MS : -MINUTE_MS,
    closesAt: 2 * DAY_MS,
    admissionsPerSecond: ANY_NUMBER,
    admissionBurst: ANY_NUMBER,
    admittedMax: ANY_NUMBER,
    admissionLifetimeMs: DAY_MS,
    seatsPerBuyer: venue.seatsPerBuyer,
    holdLifetimeMs: DAY_MS,
  });
  return { ...draft, startsAt: now + 3 * DAY_MS, prices: [PRICE, PRICE] };
}

import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { ShowDraft } from '../../../src/catalog/show.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SEATS_PER_ROW = 40;
const ROWS_MAX = 200;
/** Metres: small enough for 1,000 sections side by side in 900 metres. */
const PITCH = 0.02;

/** What a benchmark sells. */
export interface BenchVenue {
  readonly sections: number;
  /** A multiple of 40, at most 8,000. */
  readonly seatsPerSection: number;
  readonly seatsPerBuyer: number;
  /** Whether everybody stays in the lobby, waiting. */
  readonly lobbyOnly?: boolean;
}

/** Sections side by side: a map that nobody looks at. */
export function benchLayout({ sections, seatsPerSection }: BenchVenue): VenueLayout {
  const rows = seatsPerSection / SEATS_PER_ROW;
  if (!Number.isInteger(rows) || rows > ROWS_MAX) throw new RangeError(`${seatsPerSection} seats a section`);
  const width = SEATS_PER_ROW * PITCH;
  return {
    id: `bench-${sections}-${seatsPerSection}`,
    name: 'Bench',
    city: 'Nowhere',
    width: (sections + 1) * width,
    height: (rows + 2) * PITCH,
    landmarks: [],
    priceLevels: ['Seat'],
    sections: Array.from({ length: sections }, (_, index) => {
      const left = index * width;
      const arc = (row: number) => ({
        from: [left, (row + 1) * PITCH] as const,
        to: [left + width - PITCH, (row + 1) * PITCH] as const,
        bend: 0,
      });
      const seats = [SEATS_PER_ROW, SEATS_PER_ROW] as const;
      const block = { priceLevel: 0, rows, firstRow: '1', seats, front: arc(0), back: arc(rows - 1) };
      return { name: `Section ${index + 1}`, tier: 'Bench', blocks: [block] };
    }),
  };
}

/** A show in it whose sale is open to everybody at once, or whose lobby is. */
export function benchDraft(venue: BenchVenue, now: number): ShowDraft {
  const opensAt = venue.lobbyOnly ? now + DAY_MS : now - MINUTE_MS;
  return {
    title: 'Bench',
    subtitle: '',
    description: '',
    venue: benchLayout(venue).id,
    startsAt: now + 3 * DAY_MS,
    currency: 'EUR',
    prices: [PRICE],
    sale: {
      lobbyAt: now - 2 * MINUTE_MS,
      opensAt,
      closesAt: now + 2 * DAY_MS,
      admissionsPerSecond: ANY_NUMBER,
      admissionBurst: ANY_NUMBER,
      admittedMax: ANY_NUMBER,
      admissionLifetimeMs: DAY_MS,
      seatsPerBuyer: venue.seatsPerBuyer,
      holdLifetimeMs: DAY_MS,
      extensionsMax: 1,
    },
  };
}

/** Minor units, every seat. */
export const PRICE = 5_000;
const ANY_NUMBER = 1_000_000;

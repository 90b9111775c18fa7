import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { ShopperShow } from '../../tools/shopper/shopper.ts';
import type { SaleTerms, ShowDraft } from '../../src/catalog/show.ts';

const ROW_SEATS_MAX = 500;
const HOUR_MS = 3_600_000;

/** Hex of 32 bytes: the draw of every show of a stand. */
export const DRAW_SEED = '5eed'.repeat(16);
/** Minor units: even sections are dear, odd ones are not. */
export const PRICES = [2_000, 1_000] as const;
/** Seats by section of a show that doesn't say otherwise. */
export const SECTION_SEATS = [40, 40, 40];

export interface StandShow {
  /** Default: its place in the catalogue. */
  readonly title?: string;
  readonly sectionSeats?: readonly number[];
  /** Instants count from the start of the stand: `opensAt: 1_000` opens a second later. */
  readonly sale?: Partial<SaleTerms>;
}

/** A layout with a section for each number, of as many seats; a section past one row's length is a square of rows. */
export function layoutOf(id: string, sectionSeats: readonly number[]): VenueLayout {
  return {
    id,
    name: `House ${id}`,
    city: 'Testville',
    width: 500,
    height: 500,
    landmarks: [],
    priceLevels: ['Front', 'Back'],
    sections: sectionSeats.map((seats, index) => {
      const rows = Math.ceil(seats / ROW_SEATS_MAX);
      if (seats % rows !== 0) throw new Error(`${seats} seats don't fill ${rows} equal rows`);
      const y = (index * 400) / sectionSeats.length;
      return {
        name: `Section ${index}`,
        tier: 'Floor',
        blocks: [
          {
            priceLevel: index % PRICES.length,
            rows,
            firstRow: '1',
            seats: [seats / rows, seats / rows],
            front: { from: [0, y], to: [400, y], bend: 0 },
            back: { from: [0, y + 1], to: [400, y + 1], bend: 0 },
          },
        ],
      };
    }),
  };
}

/** A show of a stand as shoppers know it. */
export function visitedShow(id: number, sectionSeats: readonly number[]): ShopperShow {
  return { id, map: seatMapOf(layoutOf('visited', sectionSeats)), prices: PRICES };
}

/** A show that is open and lets in whoever comes, unless `sale` says otherwise. */
export function draftOf(title: string, venue: string, now: number, sale: StandShow['sale'] = {}): ShowDraft {
  const { lobbyAt = -2_000, opensAt = -1_000, closesAt = HOUR_MS, ...terms } = sale;
  return {
    title,
    subtitle: '',
    description: '',
    venue,
    startsAt: now + 2 * HOUR_MS,
    currency: 'EUR',
    prices: PRICES,
    sale: {
      lobbyAt: now + lobbyAt,
      opensAt: now + opensAt,
      closesAt: now + closesAt,
      admissionsPerSecond: 1_000,
      admissionBurst: 1_000,
      admittedMax: 1_000,
      admissionLifetimeMs: 600_000,
      seatsPerBuyer: 4,
      holdLifetimeMs: 60_000,
      extensionsMax: 1,
      ...terms,
    },
  };
}

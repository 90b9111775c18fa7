import { SEATS_PER_REQUEST_MAX } from '@stampede/shared/protocol/limits.ts';
import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { z } from 'zod';
import { showId } from '../platform/ids.ts';

const count = z.int().min(0);
/** Half a character has no bytes of its own: databases would each keep something else in its place. */
const text = z.string().refine((value) => value.isWellFormed(), 'is no well-formed Unicode text');

/** The terms of an on-sale. Rates are per second, lifetimes in milliseconds, instants in those since the Unix epoch. */
const terms = z.object({
  lobbyAt: count,
  opensAt: count,
  closesAt: count,
  admissionsPerSecond: z.number().min(0),
  /** Admissions that may happen at once after a quiet time: less than one whole would let nobody in. */
  admissionBurst: z.int().min(1),
  /** Buyers shopping at the same time. */
  admittedMax: count,
  admissionLifetimeMs: count,
  /** What one `hold` may name, and `entered` may tell. */
  seatsPerBuyer: z.int().min(1).max(SEATS_PER_REQUEST_MAX),
  holdLifetimeMs: count,
  extensionsMax: count,
});
export const saleTerms = terms.readonly();
export type SaleTerms = z.infer<typeof saleTerms>;

const draft = z.object({
  title: text,
  subtitle: text,
  description: text,
  startsAt: count,
  /** ISO 4217. */
  currency: z.string(),
  /** Minor units of `currency` per price level of the layout. */
  prices: z.array(count).readonly(),
  sale: saleTerms,
});

/** A show as its organiser wrote it. */
export const showDraft = draft.extend({ /** Id of a venue layout. */ venue: z.string() }).readonly();
export type ShowDraft = z.infer<typeof showDraft>;

/** What of a show can be edited: not where it is, because tickets name seats of that venue. */
export const showChange = draft
  .partial()
  .extend({ sale: terms.partial().strict().optional(), paused: z.boolean().optional() })
  .strict()
  .readonly();
export type ShowChange = z.infer<typeof showChange>;

const record = draft.extend({
  id: z.int().min(1).transform(showId),
  /** Hex of 32 random bytes that decide the draw of early arrivals; secret until the on-sale opens. */
  drawSeed: z.string(),
  paused: z.boolean(),
});

/** What lists tell of a venue. */
export const venue = z
  .object({
    id: z.string(),
    name: z.string(),
    city: z.string(),
    /** An IANA name. */
    timeZone: z.string(),
    /** From the dearest to the cheapest. */
    priceLevels: z.array(z.string()).readonly(),
    seatCount: count,
  })
  .readonly();
export type Venue = z.infer<typeof venue>;

/** All of a show but its seats, which take far more room than everything else. */
export const listedShow = record
  .extend({
    venue,
    /** Will never be sold again. */
    cancelled: z.boolean(),
    /** Rises with every edit. */
    version: count,
  })
  .readonly();
export type ListedShow = z.infer<typeof listedShow>;

/** Every show, by id, as one version of the catalogue has them. */
export const catalogContents = z
  .object({ version: z.int(), shows: z.array(listedShow).readonly() })
  .readonly();
export type CatalogContents = z.infer<typeof catalogContents>;

/** A show ready to sell. */
export interface Show extends Readonly<z.infer<typeof record>> {
  readonly layout: VenueLayout;
  readonly seatMap: SeatMap;
}

/** The show that is listed, with the seats of its venue. */
export function withSeats(listed: ListedShow, { layout, seatMap }: Pick<Show, 'layout' | 'seatMap'>): Show {
  const { venue: _venue, version: _version, cancelled: _cancelled, ...show } = listed;
  return { ...show, layout, seatMap };
}

/** What a seat costs, in minor units of the show's currency. */
export function seatPrice(show: Pick<Show, 'prices' | 'seatMap'>, seat: number): number {
  return show.prices[show.seatMap.priceLevel[seat] ?? -1] ?? 0;
}

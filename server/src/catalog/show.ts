import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { ShowId } from '../platform/ids.ts';

/** A show as its organiser wrote it. Instants are milliseconds since the Unix epoch. */
export interface ShowDraft {
  readonly title: string;
  readonly subtitle: string;
  readonly description: string;
  /** Id of a venue layout. */
  readonly venue: string;
  readonly startsAt: number;
  /** ISO 4217. */
  readonly currency: string;
  /** Minor units of `currency` per price level of the layout. */
  readonly prices: readonly number[];
  readonly sale: SaleTerms;
}

/** The terms of an on-sale. Rates are per second, lifetimes in milliseconds. */
export interface SaleTerms {
  readonly lobbyAt: number;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly admissionsPerSecond: number;
  /** Admissions that may happen at once after a quiet time: the token bucket's size. */
  readonly admissionBurst: number;
  /** Buyers shopping at the same time. */
  readonly admittedMax: number;
  readonly admissionLifetimeMs: number;
  readonly seatsPerBuyer: number;
  readonly holdLifetimeMs: number;
  readonly extensionsMax: number;
}

/** A show ready to sell. */
export interface Show extends Omit<ShowDraft, 'venue'> {
  readonly id: ShowId;
  readonly layout: VenueLayout;
  readonly seatMap: SeatMap;
  /** Hex of 32 random bytes that decide the draw of early arrivals; secret until the on-sale opens. */
  readonly drawSeed: string;
  readonly paused: boolean;
}

/** What a seat costs, in minor units of the show's currency. */
export function seatPrice(show: Show, seat: number): number {
  return show.prices[show.seatMap.priceLevel[seat] ?? -1] ?? 0;
}

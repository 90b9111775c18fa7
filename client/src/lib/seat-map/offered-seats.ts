import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';
import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';

/** Statuses of a section by seat from its start; undefined where nobody watches it. */
export type StatusesOf = (section: number) => Uint8Array | undefined;

/** What is known of a seat; undefined where its section isn't watched. */
export function statusOf(map: SeatMap, statusesOf: StatusesOf, seat: number): number | undefined {
  const section = map.sections[map.sectionOf[seat] ?? -1];
  return section && statusesOf(section.index)?.[seat - section.start];
}

/** Whether seats can be offered: an offer with a seat that is known to be taken would only disappoint. */
export function canBeOffered(map: SeatMap, statusesOf: StatusesOf, seats: readonly number[]): boolean {
  return seats.every((seat) => (statusOf(map, statusesOf, seat) ?? AVAILABLE) === AVAILABLE);
}

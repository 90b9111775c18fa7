import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';
import type { Section, SeatMap } from '@stampede/shared/seat-map/seat-map.ts';

interface Candidate {
  readonly seats: readonly number[];
  readonly distance: number;
}

function middle(map: SeatMap, seats: readonly number[]): [x: number, y: number] {
  let x = 0;
  let y = 0;
  for (const seat of seats) {
    x += map.x[seat] ?? 0;
    y += map.y[seat] ?? 0;
  }
  return [x / seats.length, y / seats.length];
}

/** Every run of `count` free neighbours in one row of the wanted price. */
function* runsOf(map: SeatMap, section: Section, statuses: Uint8Array, count: number, priceLevel: number) {
  for (const row of section.rows) {
    if (row.priceLevel !== priceLevel) continue;
    let free = 0;
    for (let seat = row.start; seat < row.start + row.seatCount; seat++) {
      free = statuses[seat - section.start] === AVAILABLE ? free + 1 : 0;
      if (free >= count) yield Array.from({ length: count }, (_, index) => seat - count + 1 + index);
    }
  }
}

/**
 * The free seats to offer instead of `wanted`, which were taken: as many, side by side, at the same price, in the
 * same section, nearest to where the buyer wanted to sit. Null where there are none. `statuses` are the section's.
 */
export function nearestSeats(
  map: SeatMap,
  section: Section,
  statuses: Uint8Array,
  wanted: readonly number[],
): readonly number[] | null {
  const first = wanted[0];
  if (first === undefined) return null;
  const priceLevel = map.priceLevel[first] ?? 0;
  const [x, y] = middle(map, wanted);
  let best: Candidate | null = null;
  for (const seats of runsOf(map, section, statuses, wanted.length, priceLevel)) {
    const [seatX, seatY] = middle(map, seats);
    const distance = Math.hypot(seatX - x, seatY - y);
    if (!best || distance < best.distance) best = { seats, distance };
  }
  return best?.seats ?? null;
}

import { seatName, type SeatMap } from '@stampede/shared/seat-map/seat-map.ts';

/**
 * Seats in the order in which people read them: by section, row and number. Their indexes alone won't do, for a row
 * on both sides of an entrance belongs to two blocks.
 */
export function inSeatOrder(map: SeatMap, seats: readonly number[]): readonly number[] {
  const keys = new Map(
    seats.map((seat) => {
      const { row, seat: number } = seatName(map, seat) ?? { row: '', seat: '0' };
      return [seat, { section: map.sectionOf[seat] ?? 0, row, number: Number(number) }] as const;
    }),
  );
  return seats.toSorted((one, other) => {
    const [a, b] = [keys.get(one), keys.get(other)];
    if (!a || !b) return 0;
    return a.section - b.section || compareRows(a.row, b.row) || a.number - b.number;
  });
}

/** `2` before `10` and `Z` before `AA`: the shorter label is the earlier one, of letters and numbers alike. */
function compareRows(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}

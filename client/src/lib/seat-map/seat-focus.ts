import type { Section } from '@stampede/shared/seat-map/seat-map.ts';

/** Where an arrow key leads in a grid of seats; `null` where the key means nothing here. */
export function seatAfterKey(section: Section, seat: number, key: string): number | null {
  const rowIndex = section.rows.findIndex((row) => seat >= row.start && seat < row.start + row.seatCount);
  const row = section.rows[rowIndex];
  if (!row) return null;
  const column = seat - row.start;
  switch (key) {
    case 'ArrowLeft':
      return row.start + Math.max(0, column - 1);
    case 'ArrowRight':
      return row.start + Math.min(row.seatCount - 1, column + 1);
    case 'Home':
      return row.start;
    case 'End':
      return row.start + row.seatCount - 1;
    case 'ArrowUp':
      return seatInRow(section, rowIndex - 1, column / Math.max(1, row.seatCount - 1)) ?? seat;
    case 'ArrowDown':
      return seatInRow(section, rowIndex + 1, column / Math.max(1, row.seatCount - 1)) ?? seat;
    default:
      return null;
  }
}

/** Rows differ in length, so a step to the next one keeps the share of the way along it. */
function seatInRow(section: Section, rowIndex: number, along: number): number | null {
  const row = section.rows[rowIndex];
  return row ? row.start + Math.round(along * (row.seatCount - 1)) : null;
}

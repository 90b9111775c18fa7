import { type RowArc, type RowBlock, rowLabel, seatsInRow, type VenueLayout } from './venue-layout.ts';

/** A section's place in the show's seat indexes: seats `start … start + seatCount − 1`. */
export interface Section {
  readonly index: number;
  readonly name: string;
  readonly tier: string;
  readonly start: number;
  readonly seatCount: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly label: string;
  /** Seat index in the show of its leftmost seat. */
  readonly start: number;
  readonly seatCount: number;
  readonly firstSeat: number;
  readonly priceLevel: number;
}

/** How a seat is called on screen and ticket. */
export interface SeatName {
  readonly section: string;
  readonly row: string;
  readonly seat: string;
}

/**
 * A venue layout with every seat placed. Per-seat facts lie in typed arrays by seat index, because a stadium has
 * 50,000 of them and a frame of animation has 16 ms.
 */
export interface SeatMap {
  readonly seatCount: number;
  readonly sections: readonly Section[];
  /** Centre of each seat in metres. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly priceLevel: Uint8Array;
  /** Section index of each seat. */
  readonly sectionOf: Uint16Array;
}

/** Places every seat of a layout. Indexes follow the layout's order: sections, blocks, rows, left to right. */
export function seatMapOf(layout: VenueLayout): SeatMap {
  const sections: Section[] = [];
  const x: number[] = [];
  const y: number[] = [];
  for (const { name, tier, blocks } of layout.sections) {
    const start = x.length;
    const rows: Row[] = [];
    for (const block of blocks) {
      for (let step = 0; step < block.rows; step++) {
        const along = block.rows > 1 ? step / (block.rows - 1) : 0;
        const seatCount = seatsInRow(block, step);
        rows.push({ ...rowNames(block, step), start: x.length, seatCount });
        placeSeats(mixArcs(block.front, block.back, along), seatCount, x, y);
      }
    }
    sections.push({ index: sections.length, name, tier, start, seatCount: x.length - start, rows });
  }
  const priceLevel = new Uint8Array(x.length);
  const sectionOf = new Uint16Array(x.length);
  for (const section of sections) {
    sectionOf.fill(section.index, section.start, section.start + section.seatCount);
    for (const row of section.rows) priceLevel.fill(row.priceLevel, row.start, row.start + row.seatCount);
  }
  return {
    seatCount: x.length,
    sections,
    x: Float32Array.from(x),
    y: Float32Array.from(y),
    priceLevel,
    sectionOf,
  };
}

/** Names a seat by its section, row and number; null outside `0…seatCount − 1`. */
export function seatName(map: SeatMap, seat: number): SeatName | null {
  const section = map.sections[map.sectionOf[seat] ?? -1];
  const row = section?.rows.findLast((one) => one.start <= seat);
  if (!section || !row) return null;
  return { section: section.name, row: row.label, seat: String(row.firstSeat + seat - row.start) };
}

function rowNames(block: RowBlock, step: number): Omit<Row, 'start' | 'seatCount'> {
  return {
    label: rowLabel(block.firstRow, step),
    firstSeat: block.firstSeat ?? 1,
    priceLevel: block.priceLevel,
  };
}

function mix(a: number, b: number, along: number): number {
  return a + (b - a) * along;
}

function mixArcs(a: RowArc, b: RowArc, along: number): RowArc {
  return {
    from: [mix(a.from[0], b.from[0], along), mix(a.from[1], b.from[1], along)],
    to: [mix(a.to[0], b.to[0], along), mix(a.to[1], b.to[1], along)],
    bend: mix(a.bend, b.bend, along),
  };
}

/** Spreads seats along a parabola through both ends with the arc's sagitta: near a circle for shallow rows. */
function placeSeats(arc: RowArc, seatCount: number, x: number[], y: number[]): void {
  const dx = arc.to[0] - arc.from[0];
  const dy = arc.to[1] - arc.from[1];
  const length = Math.hypot(dx, dy) || 1;
  for (let index = 0; index < seatCount; index++) {
    const along = seatCount > 1 ? index / (seatCount - 1) : 0.5;
    const sagitta = 4 * along * (1 - along) * arc.bend;
    x.push(arc.from[0] + dx * along - (dy / length) * sagitta);
    y.push(arc.from[1] + dy * along + (dx / length) * sagitta);
  }
}

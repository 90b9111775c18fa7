import type { SeatMap, Section } from '@stampede/shared/seat-map/seat-map.ts';
import { contains, type Bounds, type SeatGeometry, type SectionShape } from './seat-geometry.ts';

/** A section's seats by grid cell, so that finding the one under a finger looks at a handful of them. */
export class SeatGrid {
  readonly #map: SeatMap;
  readonly #bounds: Bounds;
  readonly #cell: number;
  readonly #columns: number;
  readonly #cells = new Map<number, number[]>();

  constructor(map: SeatMap, { section, bounds, pitch }: SectionShape) {
    this.#map = map;
    this.#bounds = bounds;
    this.#cell = pitch * 2;
    this.#columns = Math.ceil((bounds.right - bounds.left) / this.#cell) + 1;
    this.#fill(section);
  }

  /** The seat whose centre is nearest to the point, at most `reach` metres away. */
  nearest(x: number, y: number, reach: number): number | null {
    const [fromColumn, toColumn] = [this.#column(x - reach), this.#column(x + reach)];
    const [fromLine, toLine] = [this.#line(y - reach), this.#line(y + reach)];
    let best: number | null = null;
    let bestDistance = reach;
    for (let line = fromLine; line <= toLine; line++) {
      for (let column = fromColumn; column <= toColumn; column++) {
        for (const seat of this.#cells.get(line * this.#columns + column) ?? []) {
          const distance = Math.hypot((this.#map.x[seat] ?? 0) - x, (this.#map.y[seat] ?? 0) - y);
          if (distance <= bestDistance) {
            best = seat;
            bestDistance = distance;
          }
        }
      }
    }
    return best;
  }

  #fill({ start, seatCount }: Section): void {
    for (let seat = start; seat < start + seatCount; seat++) {
      const key = this.#line(this.#map.y[seat] ?? 0) * this.#columns + this.#column(this.#map.x[seat] ?? 0);
      const cell = this.#cells.get(key);
      if (cell) cell.push(seat);
      else this.#cells.set(key, [seat]);
    }
  }

  #column(x: number): number {
    return Math.min(this.#columns - 1, Math.max(0, Math.floor((x - this.#bounds.left) / this.#cell)));
  }

  #line(y: number): number {
    return Math.max(0, Math.floor((y - this.#bounds.top) / this.#cell));
  }
}

/** Finds what lies under a point of the venue; grids are made for the sections that are asked about. */
export class HitTest {
  readonly #map: SeatMap;
  readonly #geometry: SeatGeometry;
  readonly #grids = new Map<number, SeatGrid>();

  constructor(map: SeatMap, geometry: SeatGeometry) {
    this.#map = map;
    this.#geometry = geometry;
  }

  seatAt(x: number, y: number): number | null {
    for (const shape of this.#geometry.sections) {
      if (!contains(shape.bounds, x, y)) continue;
      const seat = this.#gridOf(shape).nearest(x, y, shape.pitch * 0.6);
      if (seat !== null) return seat;
    }
    return null;
  }

  sectionAt(x: number, y: number): SectionShape | null {
    return (
      this.#geometry.sections.find(
        (shape) =>
          contains(shape.bounds, x, y) && shape.blocks.some((block) => isInside(block.outline, x, y)),
      ) ??
      this.#geometry.sections.find(
        (shape) => contains(shape.bounds, x, y) && this.#gridOf(shape).nearest(x, y, shape.pitch) !== null,
      ) ??
      null
    );
  }

  #gridOf(shape: SectionShape): SeatGrid {
    const { index } = shape.section;
    let grid = this.#grids.get(index);
    if (!grid) {
      grid = new SeatGrid(this.#map, shape);
      this.#grids.set(index, grid);
    }
    return grid;
  }
}

/** Whether a point lies in a polygon given as x, y, x, y, … (even-odd rule). */
export function isInside(outline: Float32Array, x: number, y: number): boolean {
  let inside = false;
  for (let at = 0, before = outline.length - 2; at < outline.length; before = at, at += 2) {
    const [ax, ay] = [outline[at] ?? 0, outline[at + 1] ?? 0];
    const [bx, by] = [outline[before] ?? 0, outline[before + 1] ?? 0];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { contains, widened } from './bounds.ts';
import type { SectionShape } from './seat-geometry.ts';

/** In pitches of the section: a seat is found up to its corners, a section a little beyond its seats. */
const SEAT_REACH = 0.75;
const SECTION_REACH = 1.5;

/** What lies under a point of the venue. Looking at every seat of the one or two sections there takes microseconds. */
export class HitTest {
  readonly #map: SeatMap;
  readonly #sections: readonly SectionShape[];

  constructor(map: SeatMap, sections: readonly SectionShape[]) {
    this.#map = map;
    this.#sections = sections;
  }

  /** The seat whose centre is nearest to the point. */
  seatAt(x: number, y: number): number | null {
    return this.#nearest(x, y, SEAT_REACH)?.seat ?? null;
  }

  /** The section whose seat is nearest to the point. */
  sectionAt(x: number, y: number): SectionShape | null {
    return this.#nearest(x, y, SECTION_REACH)?.shape ?? null;
  }

  #nearest(x: number, y: number, reach: number): { seat: number; shape: SectionShape } | null {
    let nearest: { seat: number; shape: SectionShape } | null = null;
    let least = Infinity;
    for (const shape of this.#sections) {
      const far = shape.pitch * reach;
      if (!contains(widened(shape.bounds, far), x, y)) continue;
      const { start, seatCount } = shape.section;
      for (let seat = start; seat < start + seatCount; seat++) {
        const distance = Math.hypot((this.#map.x[seat] ?? 0) - x, (this.#map.y[seat] ?? 0) - y);
        if (distance > far || distance >= least) continue;
        nearest = { seat, shape };
        least = distance;
      }
    }
    return nearest;
  }
}

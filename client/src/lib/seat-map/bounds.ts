import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import type { Point } from '@stampede/shared/seat-map/venue-layout.ts';

/** An upright rectangle, in metres of the venue or in pixels. */
export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Where a seat's centre is, in metres. */
export function spotOf(map: SeatMap, seat: number): Point {
  return [map.x[seat] ?? 0, map.y[seat] ?? 0];
}

/** The smallest that holds all points. */
export function boundsOf(points: readonly Point[]): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
}

export function overlaps(a: Bounds, b: Bounds): boolean {
  return a.left <= b.right && a.right >= b.left && a.top <= b.bottom && a.bottom >= b.top;
}

export function middleOf({ left, top, right, bottom }: Bounds): [x: number, y: number] {
  return [(left + right) / 2, (top + bottom) / 2];
}

export function widened({ left, top, right, bottom }: Bounds, by: number): Bounds {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}

export function contains(bounds: Bounds, x: number, y: number): boolean {
  return x >= bounds.left && x <= bounds.right && y >= bounds.top && y <= bounds.bottom;
}

import type { Row, SeatMap, Section } from '@stampede/shared/seat-map/seat-map.ts';
import type { Point, VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { type Bounds, boundsOf, middleOf, spotOf, widened } from './bounds.ts';

/** A block of rows as an outline through its outermost seats, in metres. */
export interface BlockShape {
  readonly outline: readonly Point[];
  readonly priceLevel: number;
}

export interface SectionShape {
  readonly section: Section;
  readonly bounds: Bounds;
  readonly centre: Point;
  /** The middle of the section's upper edge, where a name stands above the seats. */
  readonly crown: Point;
  /** Radians by which the upper edge slopes there, clockwise; 0 where a name would stand too steep. */
  readonly slope: number;
  /** Metres that a label at the centre has, to the sides and up and down, before it leaves the section. */
  readonly room: readonly [width: number, height: number];
  /** Metres between neighbouring seats, the closer of along and across the rows. */
  readonly pitch: number;
  readonly blocks: readonly BlockShape[];
}

export interface SeatGeometry {
  readonly bounds: Bounds;
  /** The smallest pitch of all sections: what decides how much can be shown. */
  readonly pitch: number;
  readonly sections: readonly SectionShape[];
}

/** A curve of seats needs no more points than this to look round. */
const OUTLINE_POINTS_MAX = 14;
const PITCH_DEFAULT = 0.55;
/** Steeper than this a name is hard to read: 40 degrees. */
const SLOPE_MAX = 0.7;

/** Everything about a venue that drawing needs and that never changes. */
export function seatGeometryOf(map: SeatMap, layout: VenueLayout): SeatGeometry {
  const sections = map.sections.map((section, index) => {
    const sizes = (layout.sections[index]?.blocks ?? []).map((block) => block.rows);
    return sectionShape(map, section, sizes);
  });
  const pitch = sections.reduce((least, shape) => Math.min(least, shape.pitch), PITCH_DEFAULT * 2);
  return { bounds: { left: 0, top: 0, right: layout.width, bottom: layout.height }, pitch, sections };
}

function sectionShape(map: SeatMap, section: Section, blockSizes: readonly number[]): SectionShape {
  const pitch = pitchOf(map, section);
  const blocks: BlockShape[] = [];
  let row = 0;
  for (const size of blockSizes) {
    const first = section.rows[row];
    const last = section.rows[row + size - 1];
    if (first && last) blocks.push({ outline: outlineOf(map, first, last), priceLevel: first.priceLevel });
    row += size;
  }
  const seats = Array.from({ length: section.seatCount }, (_, index) => spotOf(map, section.start + index));
  const bounds = widened(boundsOf(seats), pitch / 2);
  const spot = labelSpot(blocks, middleOf(bounds));
  const room = roomAround(blocks, spot, pitch);
  return { section, bounds, centre: spot, ...crownOf(seats, bounds, pitch), room, pitch, blocks };
}

/** Labels stand at the middle of the largest block: the middle of a bent or split section may lie outside of it. */
function labelSpot(blocks: readonly BlockShape[], fallback: Point): Point {
  const outlines = blocks.map(({ outline }) => outline);
  const largest = outlines.toSorted((one, other) => areaOf(other) - areaOf(one))[0];
  if (!largest) return fallback;
  const [x, y] = largest.reduce((sum, point) => [sum[0] + point[0], sum[1] + point[1]], [0, 0]);
  return [x / largest.length, y / largest.length];
}

/** Area of a polygon (shoelace formula). */
function areaOf(outline: readonly Point[]): number {
  const twice = sidesOf(outline).reduce((sum, [from, to]) => sum + from[0] * to[1] - to[0] * from[1], 0);
  return Math.abs(twice) / 2;
}

function sidesOf(outline: readonly Point[]): readonly (readonly [from: Point, to: Point])[] {
  return outline.map((to, index) => [outline.at(index - 1) ?? to, to]);
}

/** The upper edge at the middle and a quarter of the width to both sides: where it is, and how it slopes. */
function crownOf(
  seats: readonly Point[],
  { left, right, top }: Bounds,
  pitch: number,
): Pick<SectionShape, 'crown' | 'slope'> {
  const middle = (left + right) / 2;
  const aside = (right - left) / 4;
  const here = topAt(seats, middle, pitch * 2) ?? top;
  const before = topAt(seats, middle - aside, pitch * 2) ?? here;
  const after = topAt(seats, middle + aside, pitch * 2) ?? here;
  const slope = Math.atan2(after - before, aside * 2);
  if (Math.abs(slope) > SLOPE_MAX) return { crown: [middle, here - pitch / 2], slope: 0 };
  // Where the edge sags in the middle, a straight name stands on its shoulders.
  return { crown: [middle, Math.min(here, (before + after) / 2) - pitch / 2], slope };
}

/** The uppermost seat within `reach` of `x`; null where there is none. */
function topAt(seats: readonly Point[], x: number, reach: number): number | null {
  let top: number | null = null;
  for (const [seatX, y] of seats) if (Math.abs(seatX - x) < reach && (top === null || y < top)) top = y;
  return top;
}

/** The longest straight lines through the spot that stay inside the block around it: level and upright. */
function roomAround(blocks: readonly BlockShape[], [x, y]: Point, pitch: number): readonly [number, number] {
  const [across, down] = [crossings(blocks, y, 1), crossings(blocks, x, 0)];
  return [gapAround(across, x) + pitch, gapAround(down, y) + pitch];
}

/** Where outlines cross a level line (`axis` 1: y is `at`) or an upright one (`axis` 0: x is `at`). */
function crossings(blocks: readonly BlockShape[], at: number, axis: 0 | 1): number[] {
  const along = axis === 1 ? 0 : 1;
  return blocks
    .flatMap(({ outline }) => sidesOf(outline))
    .filter(([a, b]) => a[axis] > at !== b[axis] > at)
    .map(([a, b]) => a[along] + ((b[along] - a[along]) * (at - a[axis])) / (b[axis] - a[axis]));
}

function gapAround(found: readonly number[], at: number): number {
  const below = Math.max(...found.filter((one) => one <= at));
  const above = Math.min(...found.filter((one) => one > at));
  // The label is centred, so the nearer side counts twice.
  return Number.isFinite(above - below) ? 2 * Math.min(above - at, at - below) : 0;
}

function distance(map: SeatMap, a: number, b: number): number {
  const [from, to] = [spotOf(map, a), spotOf(map, b)];
  return Math.hypot(from[0] - to[0], from[1] - to[1]);
}

function pitchOf(map: SeatMap, section: Section): number {
  const gaps: number[] = [];
  section.rows.forEach((row, index) => {
    if (row.seatCount > 1) gaps.push(distance(map, row.start, row.start + 1));
    const next = section.rows[index + 1];
    if (next) {
      gaps.push(distance(map, row.start + (row.seatCount >> 1), next.start + (next.seatCount >> 1)) * 0.94);
    }
  });
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 4)] ?? PITCH_DEFAULT;
}

function outlineOf(map: SeatMap, first: Row, last: Row): readonly Point[] {
  const points: Point[] = [];
  const follow = (row: Row, backwards: boolean) => {
    const steps = Math.min(OUTLINE_POINTS_MAX, row.seatCount) - 1;
    for (let step = 0; step <= steps; step++) {
      const along = steps === 0 ? 0 : Math.round((step / steps) * (row.seatCount - 1));
      const seat = row.start + (backwards ? row.seatCount - 1 - along : along);
      points.push(spotOf(map, seat));
    }
  };
  follow(first, false);
  follow(last, true);
  return points;
}

import { middleOf, overlaps, type Bounds } from './bounds.ts';
import type { SeatGeometry } from './seat-geometry.ts';

/** What there is room to show: shapes of sections, a dot per seat, or seats with their numbers. */
export type DetailLevel = 'sections' | 'dots' | 'seats';

const DOTS_FROM_PX = 4;
const SEATS_FROM_PX = 13;
/** Numbers are legible from here on. */
export const NUMBERS_FROM_PX = 22;
/** A seat smaller than this is chosen by accident, so a press zooms in instead. */
const PRESSABLE_MOUSE_PX = 9;
const PRESSABLE_TOUCH_PX = 20;

/** `pitchPx`: pixels between neighbouring seats. */
export function detailLevel(pitchPx: number): DetailLevel {
  if (pitchPx < DOTS_FROM_PX) return 'sections';
  return pitchPx < SEATS_FROM_PX ? 'dots' : 'seats';
}

export function isPressable(pitchPx: number, touch: boolean): boolean {
  return pitchPx >= (touch ? PRESSABLE_TOUCH_PX : PRESSABLE_MOUSE_PX);
}

/**
 * The sections to watch: those in view, at most `max`, the nearest to the middle of the view first. None while
 * only their shapes are shown: summaries are enough for that.
 */
export function sectionsInView(
  geometry: SeatGeometry,
  view: Bounds,
  level: DetailLevel,
  max: number,
): readonly number[] {
  if (level === 'sections') return [];
  const [x, y] = middleOf(view);
  return geometry.sections
    .filter((shape) => overlaps(shape.bounds, view))
    .map(({ section, centre }) => ({ index: section.index, far: Math.hypot(centre[0] - x, centre[1] - y) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, max)
    .map(({ index }) => index);
}

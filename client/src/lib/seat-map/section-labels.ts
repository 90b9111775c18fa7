import type { Point } from '@stampede/shared/seat-map/venue-layout.ts';
import { type Bounds, boundsOf, overlaps, widened } from './bounds.ts';
import type { SectionShape } from './seat-geometry.ts';

/** What a section's label says; the words come formatted in the buyer's language. */
export interface SectionWords {
  readonly free: string;
  readonly from: string;
}

export interface LabelLine {
  readonly text: string;
  readonly size: number;
  readonly weight: number;
  /** Pixels below the label's point. */
  readonly down: number;
}

/** A section's name where it stands, in pixels from the venue's origin: a label moves with the map. */
export interface SectionLabel {
  readonly section: number;
  readonly x: number;
  readonly y: number;
  /** Radians, clockwise. */
  readonly slope: number;
  readonly lines: readonly LabelLine[];
  readonly box: Bounds;
  /** Stands on whatever is behind, not on its section's own colour. */
  readonly halo: boolean;
  readonly faint: boolean;
}

/** A section to be named: on its shape, or at the edge of its seats where they are drawn one by one. */
export interface LabelWish {
  readonly shape: SectionShape;
  readonly seatsShown: boolean;
  readonly words: SectionWords | null;
  readonly faint: boolean;
}

/** Width of a text in pixels. */
export type Measure = (text: string, size: number, weight: number) => number;

/** Nobody should have to guess what a section is called. */
export const LABEL_SIZE_MIN = 11;
const LABEL_SIZE_MAX = 19;
const TAG_SIZE = 12;
const LINE = 1.22;
const GAP_PX = 2;
const DETAILS_HEIGHT_PX = 56;
const NAME_WEIGHT = 700;
const DETAILS_WEIGHT = 560;
const TAG_WEIGHT = 680;

/**
 * Names as many sections as can be without one name on another: those that fit on their section first, then the
 * short names of the rest where there is room around them. `obstacles` are texts that stand there already.
 */
export function placeLabels(
  wishes: readonly LabelWish[],
  k: number,
  obstacles: readonly Bounds[],
  measure: Measure,
): readonly SectionLabel[] {
  const taken = [...obstacles];
  const placed = new Map<number, SectionLabel>();
  for (const choicesOf of [fittingLabels, shortLabels]) {
    for (const wish of wishes) {
      if (placed.has(wish.shape.section.index)) continue;
      const label = choicesOf(wish, k, measure).find(
        ({ box }) => !taken.some((one) => overlaps(widened(one, GAP_PX), box)),
      );
      if (!label) continue;
      placed.set(label.section, label);
      taken.push(label.box);
    }
  }
  return [...placed.values()];
}

/** `Block 112` is known as 112. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}

/** What fits a section, the most telling first. */
function fittingLabels(wish: LabelWish, k: number, measure: Measure): readonly SectionLabel[] {
  const { shape, words } = wish;
  const { name } = shape.section;
  if (wish.seatsShown) {
    const room = (shape.bounds.right - shape.bounds.left) * k * 1.2;
    const { crown, slope } = shape;
    const tags = [name, shortName(name)].map((text) => {
      const lines = [{ text, size: TAG_SIZE, weight: TAG_WEIGHT, down: -TAG_SIZE * 0.6 }];
      return labelAt(wish, k, lines, measure, { spot: crown, slope, halo: true });
    });
    return tags.filter(({ lines }) =>
      lines.every(({ text, size, weight }) => measure(text, size, weight) <= room),
    );
  }
  const [width, height] = [shape.room[0] * k, shape.room[1] * k];
  const size = Math.min(LABEL_SIZE_MAX, Math.max(LABEL_SIZE_MIN, Math.min(width / 6, height / 3)));
  if (height < size) return [];
  const names = [name, shortName(name)].map((text) => [{ text, size, weight: NAME_WEIGHT, down: 0 }]);
  const choices = words && height >= DETAILS_HEIGHT_PX ? [withDetails(name, words, size), ...names] : names;
  return choices
    .filter((lines) => lines.every(({ text, size, weight }) => measure(text, size, weight) <= width * 0.96))
    .map((lines) => labelAt(wish, k, lines, measure));
}

function withDetails(name: string, words: SectionWords, size: number): readonly LabelLine[] {
  const small = Math.max(LABEL_SIZE_MIN, size * 0.8);
  const line = size * LINE;
  return [
    { text: name, size, weight: NAME_WEIGHT, down: -line },
    { text: words.free, size: small, weight: DETAILS_WEIGHT, down: 0 },
    { text: words.from, size: small, weight: DETAILS_WEIGHT, down: line * 0.9 },
  ];
}

function shortLabels(wish: LabelWish, k: number, measure: Measure): readonly SectionLabel[] {
  if (wish.seatsShown) return [];
  const text = shortName(wish.shape.section.name);
  const lines = [{ text, size: LABEL_SIZE_MIN, weight: NAME_WEIGHT, down: 0 }];
  return [labelAt(wish, k, lines, measure, { halo: true })];
}

/** Stands at a spot of the venue, centred on a sloping axis. */
function labelAt(
  { shape, faint }: LabelWish,
  k: number,
  lines: readonly LabelLine[],
  measure: Measure,
  { spot = shape.centre, slope = 0, halo = false }: { spot?: Point; slope?: number; halo?: boolean } = {},
): SectionLabel {
  const [x, y] = [spot[0] * k, spot[1] * k];
  const box = boxOf(x, y, slope, lines, measure);
  return { section: shape.section.index, x, y, slope, lines, box, halo, faint };
}

/** The upright rectangle around lines that stand centred on a sloping axis. */
function boxOf(x: number, y: number, slope: number, lines: readonly LabelLine[], measure: Measure): Bounds {
  const half = Math.max(...lines.map(({ text, size, weight }) => measure(text, size, weight))) / 2;
  const top = Math.min(...lines.map(({ down, size }) => down - size / 2));
  const bottom = Math.max(...lines.map(({ down, size }) => down + size / 2));
  const [cos, sin] = [Math.cos(slope), Math.sin(slope)];
  const corners = [-half, half].flatMap((along) =>
    [top, bottom].map((down) => [x + along * cos - down * sin, y + along * sin + down * cos] as const),
  );
  return boundsOf(corners);
}

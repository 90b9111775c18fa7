/**
 * A venue's seats as an organiser describes them: a few numbers per block of rows instead of coordinates per
 * seat, so that a 50,000-seat stadium is a file of some kilobytes. Lengths are in metres, x to the right, y
 * away from the stage's back wall towards the audience.
 */
export interface VenueLayout {
  readonly id: string;
  readonly name: string;
  readonly city: string;
  /** Of the clocks there: an IANA name, `Europe/Lisbon`. Default UTC, for layouts kept from before they had one. */
  readonly timeZone?: string;
  readonly width: number;
  readonly height: number;
  /** Shapes that orient the buyer: stage, pitch, floor. Not seats. */
  readonly landmarks: readonly Landmark[];
  /** From the dearest to the cheapest; a block names its level by its index here. */
  readonly priceLevels: readonly string[];
  readonly sections: readonly SectionLayout[];
}

export type Point = readonly [x: number, y: number];

export interface Landmark {
  readonly kind: 'stage' | 'pitch' | 'floor' | 'pit';
  readonly label: string;
  readonly outline: readonly Point[];
}

export interface SectionLayout {
  /** As printed on the ticket: `Stalls Left`, `Block 112`. Unique in the venue. */
  readonly name: string;
  /** The tier it belongs to: `Stalls`, `Balcony`, `Lower ring`. */
  readonly tier: string;
  readonly blocks: readonly RowBlock[];
}

/**
 * Rows of one price that lie behind one another. Row *k* of *n* lies on the arc interpolated between `front` and
 * `back`, and has `seats[0]…seats[1]` seats, interpolated and rounded.
 */
export interface RowBlock {
  readonly priceLevel: number;
  readonly rows: number;
  /** Label of the first row; the following count on from it: `A, B, … Z, AA`, or `1, 2, …`. */
  readonly firstRow: string;
  /** Number of the leftmost seat of each row; numbers rise to the right. Default 1. */
  readonly firstSeat?: number;
  readonly seats: readonly [front: number, back: number];
  readonly front: RowArc;
  readonly back: RowArc;
}

/** From the centre of the leftmost seat to that of the rightmost; `bend` is the sagitta, positive away from the stage. */
export interface RowArc {
  readonly from: Point;
  readonly to: Point;
  readonly bend: number;
}

/** How many seats the `step`-th row of a block has (from 0). */
export function seatsInRow(
  { rows, seats: [front, back] }: Pick<RowBlock, 'rows' | 'seats'>,
  step: number,
): number {
  const along = rows > 1 ? step / (rows - 1) : 0;
  return Math.round(front + (back - front) * along);
}

/** How many seats sections have together, without placing them. */
export function seatsOf(
  sections: readonly { readonly blocks: readonly Pick<RowBlock, 'rows' | 'seats'>[] }[],
): number {
  let seats = 0;
  for (const block of sections.flatMap(({ blocks }) => blocks)) {
    for (let step = 0; step < block.rows; step++) seats += seatsInRow(block, step);
  }
  return seats;
}

const LETTERS = 26;
const CODE_OF_A = 65;

/** What rows are called: a number without leading zeros, or one or two capital letters. */
export const ROW_LABEL = /^(?:0|[1-9][0-9]{0,3}|[A-Z]{1,2})$/;

/**
 * The label `steps` rows after `first`: numbers count on, letters go `A … Z, AA, AB …`. Throws unless `first` is a
 * `ROW_LABEL`, which whoever reads layouts from outside has to check.
 */
export function rowLabel(first: string, steps: number): string {
  if (!ROW_LABEL.test(first)) throw new RangeError(`not a row label: ${first}`);
  const number = Number(first);
  if (Number.isInteger(number)) return String(number + steps);
  let value = 0;
  for (const letter of first) value = value * LETTERS + (letter.charCodeAt(0) - CODE_OF_A + 1);
  let label = '';
  for (let rest = value + steps; rest > 0; rest = Math.floor((rest - 1) / LETTERS)) {
    label = String.fromCharCode(CODE_OF_A + ((rest - 1) % LETTERS)) + label;
  }
  return label;
}

import { type SeatMap, seatName } from '@stampede/shared/seat-map/seat-map.ts';
import { AVAILABLE, BLOCKED, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { NUMBERS_FROM_PX } from './level-of-detail.ts';
import { levelColour, type Palette } from './palette.ts';
import type { Bounds } from './bounds.ts';
import type { SectionShape } from './seat-geometry.ts';

/** Where the venue lies on the canvas: metres × k + offset = CSS pixels. */
export interface Placement {
  readonly k: number;
  readonly x: number;
  readonly y: number;
}

export interface SeatsToPaint {
  readonly shapes: readonly SectionShape[];
  readonly statusesOf: (section: number) => Uint8Array | undefined;
  readonly mine: ReadonlySet<number>;
  readonly pending: ReadonlySet<number>;
  /** Leaves every seat out that isn't the buyer's. */
  readonly onlyOwn: boolean;
}

const SOLD_SIZE = 0.3;
const DOT_SIZE = 0.8;
const SEAT_SIZE = 0.86;
const CORNER = 0.3;
const DETAILED_FROM_PX = 13;
const NUMBER_SIZE_MIN = 11;
/** One's own seats stand out at every scale, also where a seat is a few pixels. */
export const OWN_SIZE_MIN = 9;

/** Seats by how they are marked; free ones by price level, where levels that are not in view leave holes. */
const noMarks = () => ({
  free: [] as (number[] | undefined)[],
  held: [] as number[],
  sold: [] as number[],
  blocked: [] as number[],
  mine: [] as number[],
  pending: [] as number[],
});

/**
 * Draws single seats. Every status has its own shape besides its colour: free seats are full, held ones hollow, sold
 * ones a small cross, blocked ones hatched, one's own carry a tick. Equal marks are drawn in one batch.
 */
export class SeatPainter {
  readonly #context: CanvasRenderingContext2D;
  readonly #map: SeatMap;
  #marks = noMarks();

  constructor(context: CanvasRenderingContext2D, map: SeatMap) {
    this.#context = context;
    this.#map = map;
  }

  /** Draws the seats in `area` (metres); `pitch` is the smallest distance between neighbours. */
  paint(seats: SeatsToPaint, area: Bounds, at: Placement, pitch: number, palette: Palette): void {
    this.#sort(seats, area, OWN_SIZE_MIN / at.k);
    const size = pitch * at.k;
    const detailed = size >= DETAILED_FROM_PX;
    const mark = size * (detailed ? SEAT_SIZE : DOT_SIZE);
    this.#marks.free.forEach((list, level) => {
      if (list) this.#fill(list, at, mark, levelColour(palette, level), detailed);
    });
    if (detailed) this.#crosses(this.#marks.sold, at, mark * 0.2, palette.lineStrong);
    else this.#fill(this.#marks.sold, at, Math.max(1.4, size * SOLD_SIZE), palette.lineStrong, false);
    this.#hollows(this.#marks.held, at, mark, palette.lineStrong, detailed);
    this.#hatches(this.#marks.blocked, at, mark * 0.62, palette.lineStrong);
    this.#ownMarks(at, size, palette);
    if (size >= NUMBERS_FROM_PX) this.#numbers(at, size, palette);
  }

  #sort({ shapes, statusesOf, mine, pending, onlyOwn }: SeatsToPaint, area: Bounds, reach: number): void {
    this.#marks = noMarks();
    const { x, y, priceLevel } = this.#map;
    for (const { section, pitch } of shapes) {
      const statuses = statusesOf(section.index);
      if (!statuses && !onlyOwn) continue;
      const margin = Math.max(pitch, reach);
      for (let index = 0; index < section.seatCount; index++) {
        const seat = section.start + index;
        const seatX = x[seat] ?? 0;
        const seatY = y[seat] ?? 0;
        if (seatX < area.left - margin || seatX > area.right + margin) continue;
        if (seatY < area.top - margin || seatY > area.bottom + margin) continue;
        if (pending.has(seat)) this.#marks.pending.push(seat);
        else if (mine.has(seat)) this.#marks.mine.push(seat);
        else if (!onlyOwn) this.#listFor(statuses?.[index] ?? BLOCKED, priceLevel[seat] ?? 0).push(seat);
      }
    }
  }

  #listFor(status: number, level: number): number[] {
    if (status === HELD) return this.#marks.held;
    if (status === SOLD) return this.#marks.sold;
    if (status !== AVAILABLE) return this.#marks.blocked;
    const list = this.#marks.free[level] ?? [];
    this.#marks.free[level] = list;
    return list;
  }

  /** Traces a mark at each seat; what is traced is then filled or stroked at once. */
  #trace(seats: readonly number[], at: Placement, mark: (x: number, y: number) => void): void {
    this.#context.beginPath();
    for (const seat of seats)
      mark((this.#map.x[seat] ?? 0) * at.k + at.x, (this.#map.y[seat] ?? 0) * at.k + at.y);
  }

  #boxes(seats: readonly number[], at: Placement, size: number, rounded: boolean): void {
    const context = this.#context;
    this.#trace(seats, at, (x, y) => {
      if (rounded) context.roundRect(x - size / 2, y - size / 2, size, size, size * CORNER);
      else context.rect(x - size / 2, y - size / 2, size, size);
    });
  }

  #fill(seats: readonly number[], at: Placement, size: number, colour: string, rounded: boolean): void {
    this.#context.fillStyle = colour;
    this.#boxes(seats, at, size, rounded);
    this.#context.fill();
  }

  #pen(colour: string, width: number): void {
    this.#context.strokeStyle = colour;
    this.#context.lineWidth = width;
  }

  #hollows(seats: readonly number[], at: Placement, size: number, colour: string, rounded: boolean): void {
    const width = Math.max(1, size * 0.1);
    this.#pen(colour, width);
    this.#boxes(seats, at, size - width, rounded);
    this.#context.stroke();
  }

  /** `half`: from the centre to an arm's end, along each axis. */
  #crosses(seats: readonly number[], at: Placement, half: number, colour: string): void {
    const context = this.#context;
    this.#pen(colour, Math.max(1.25, half * 0.45));
    this.#trace(seats, at, (x, y) => {
      context.moveTo(x - half, y - half);
      context.lineTo(x + half, y + half);
      context.moveTo(x + half, y - half);
      context.lineTo(x - half, y + half);
    });
    context.stroke();
  }

  #hatches(seats: readonly number[], at: Placement, size: number, colour: string): void {
    const context = this.#context;
    this.#pen(colour, Math.max(1, size * 0.12));
    this.#trace(seats, at, (x, y) => {
      for (const shift of [-0.36 * size, 0, 0.36 * size]) {
        const half = (size / 2) * (shift === 0 ? 1 : 0.55);
        context.moveTo(x + shift - half, y + shift + half);
        context.lineTo(x + shift + half, y + shift - half);
      }
    });
    context.stroke();
  }

  #ownMarks(at: Placement, size: number, palette: Palette): void {
    const context = this.#context;
    const mark = Math.max(size * 0.98, OWN_SIZE_MIN);
    this.#fill(this.#marks.mine, at, mark, palette.mine, true);
    this.#pen(palette.onMine, Math.max(1.5, mark * 0.12));
    context.lineCap = 'round';
    context.lineJoin = 'round';
    this.#trace(this.#marks.mine, at, (x, y) => {
      context.moveTo(x - mark * 0.22, y + mark * 0.02);
      context.lineTo(x - mark * 0.05, y + mark * 0.19);
      context.lineTo(x + mark * 0.24, y - mark * 0.17);
    });
    context.stroke();
    this.#pen(palette.mine, Math.max(2, mark * 0.12));
    context.setLineDash([mark * 0.22, mark * 0.16]);
    this.#trace(this.#marks.pending, at, (x, y) => {
      context.moveTo(x + mark * 0.42, y);
      context.arc(x, y, mark * 0.42, 0, 2 * Math.PI);
    });
    context.stroke();
    context.setLineDash([]);
    context.lineCap = 'butt';
  }

  /** Of seats that can be had or may come back; a tick or a cross says more than a number would. */
  #numbers(at: Placement, size: number, palette: Palette): void {
    const context = this.#context;
    context.font = `650 ${Math.min(17, Math.max(NUMBER_SIZE_MIN, size * 0.42))}px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const write = (seats: readonly number[], colour: string) => {
      context.fillStyle = colour;
      for (const seat of seats) {
        const x = (this.#map.x[seat] ?? 0) * at.k + at.x;
        const y = (this.#map.y[seat] ?? 0) * at.k + at.y + size * 0.03;
        context.fillText(seatName(this.#map, seat)?.seat ?? '', x, y);
      }
    };
    for (const list of this.#marks.free) write(list ?? [], palette.onInk);
    write(this.#marks.held, palette.ink2);
  }
}

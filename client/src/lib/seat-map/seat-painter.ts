import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { AVAILABLE, BLOCKED, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { NUMBERS_FROM_PX } from './level-of-detail.ts';
import { levelColour, type Palette } from './palette.ts';
import type { Bounds, SectionShape } from './seat-geometry.ts';

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
  readonly hovered: number | null;
  /** Leaves every seat out that isn't the buyer's. */
  readonly onlyOwn: boolean;
}

const SOLD_SIZE = 0.3;
const DOT_SIZE = 0.8;
const SEAT_SIZE = 0.86;
const CORNER = 0.3;

/**
 * Draws single seats. Every status has its own mark besides its colour: free seats are full, held ones hollow with
 * a bar, sold ones small, blocked ones a stroke, one's own carry a tick. Equal marks are drawn in one batch.
 */
export class SeatPainter {
  readonly #context: CanvasRenderingContext2D;
  readonly #map: SeatMap;
  /** By price level; levels that are not in view leave holes. */
  #free: (number[] | undefined)[] = [];
  #held: number[] = [];
  #sold: number[] = [];
  #blocked: number[] = [];
  #mine: number[] = [];
  #pending: number[] = [];

  constructor(context: CanvasRenderingContext2D, map: SeatMap) {
    this.#context = context;
    this.#map = map;
  }

  paint(seats: SeatsToPaint, view: Bounds, at: Placement, pitch: number, palette: Palette): void {
    this.#sort(seats, view);
    const size = pitch * at.k;
    const detailed = size >= 13;
    const mark = size * (detailed ? SEAT_SIZE : DOT_SIZE);
    this.#free.forEach((list, level) => {
      if (list) this.#fill(list, at, mark, levelColour(palette, level), detailed);
    });
    this.#fill(this.#sold, at, Math.max(1.4, size * SOLD_SIZE), palette.lineStrong, false);
    this.#heldMarks(at, mark, palette);
    this.#strokes(this.#blocked, at, mark * 0.62, palette.lineStrong);
    this.#ownMarks(at, size, palette);
    if (size >= NUMBERS_FROM_PX) this.#numbers(at, size, palette);
    if (seats.hovered !== null) this.#ring(seats.hovered, at, size * 0.56, palette.ink, 2);
  }

  /** A ring that widens and fades: somebody else took or freed this seat. `age` runs from 0 to 1. */
  flash(seat: number, age: number, at: Placement, pitch: number, palette: Palette): void {
    this.#context.globalAlpha = (1 - age) * 0.9;
    this.#ring(
      seat,
      at,
      pitch * at.k * (0.45 + age * 0.55),
      palette.signal,
      Math.max(1.5, pitch * at.k * 0.12),
    );
    this.#context.globalAlpha = 1;
  }

  #sort({ shapes, statusesOf, mine, pending, onlyOwn }: SeatsToPaint, view: Bounds): void {
    this.#free = [];
    this.#held = [];
    this.#sold = [];
    this.#blocked = [];
    this.#mine = [];
    this.#pending = [];
    const { x, y, priceLevel } = this.#map;
    for (const { section, pitch } of shapes) {
      const statuses = statusesOf(section.index);
      if (!statuses && !onlyOwn) continue;
      for (let index = 0; index < section.seatCount; index++) {
        const seat = section.start + index;
        const seatX = x[seat] ?? 0;
        const seatY = y[seat] ?? 0;
        if (seatX < view.left - pitch || seatX > view.right + pitch) continue;
        if (seatY < view.top - pitch || seatY > view.bottom + pitch) continue;
        if (pending.has(seat)) this.#pending.push(seat);
        else if (mine.has(seat)) this.#mine.push(seat);
        else if (!onlyOwn) this.#listFor(statuses?.[index] ?? BLOCKED, priceLevel[seat] ?? 0).push(seat);
      }
    }
  }

  #listFor(status: number, level: number): number[] {
    if (status === HELD) return this.#held;
    if (status === SOLD) return this.#sold;
    if (status !== AVAILABLE) return this.#blocked;
    const list = this.#free[level] ?? [];
    this.#free[level] = list;
    return list;
  }

  #fill(seats: readonly number[], at: Placement, size: number, colour: string, rounded: boolean): void {
    const context = this.#context;
    context.fillStyle = colour;
    context.beginPath();
    for (const seat of seats) {
      const left = (this.#map.x[seat] ?? 0) * at.k + at.x - size / 2;
      const top = (this.#map.y[seat] ?? 0) * at.k + at.y - size / 2;
      if (rounded) context.roundRect(left, top, size, size, size * CORNER);
      else context.rect(left, top, size, size);
    }
    context.fill();
  }

  #heldMarks(at: Placement, size: number, palette: Palette): void {
    const context = this.#context;
    context.strokeStyle = palette.lineStrong;
    context.lineWidth = Math.max(1, size * 0.1);
    const inner = size - context.lineWidth;
    context.beginPath();
    for (const seat of this.#held) {
      const x = (this.#map.x[seat] ?? 0) * at.k + at.x;
      const y = (this.#map.y[seat] ?? 0) * at.k + at.y;
      if (size < 8) {
        context.rect(x - inner / 2, y - inner / 2, inner, inner);
        continue;
      }
      context.roundRect(x - inner / 2, y - inner / 2, inner, inner, inner * CORNER);
      context.moveTo(x - inner * 0.24, y);
      context.lineTo(x + inner * 0.24, y);
    }
    context.stroke();
  }

  #strokes(seats: readonly number[], at: Placement, size: number, colour: string): void {
    const context = this.#context;
    context.strokeStyle = colour;
    context.lineWidth = Math.max(1, size * 0.12);
    context.beginPath();
    for (const seat of seats) {
      const x = (this.#map.x[seat] ?? 0) * at.k + at.x;
      const y = (this.#map.y[seat] ?? 0) * at.k + at.y;
      for (const shift of [-0.36, 0, 0.36]) {
        const half = (size / 2) * (shift === 0 ? 1 : 0.55);
        context.moveTo(x + shift * size - half, y + shift * size + half);
        context.lineTo(x + shift * size + half, y + shift * size - half);
      }
    }
    context.stroke();
  }

  #ownMarks(at: Placement, size: number, palette: Palette): void {
    const context = this.#context;
    // One's own seats stand out at every scale, also where a seat is a few pixels.
    const mark = Math.max(size * 0.98, 9);
    this.#fill(this.#mine, at, mark, palette.ink, true);
    context.strokeStyle = palette.onInk;
    context.lineWidth = Math.max(1.5, mark * 0.12);
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.beginPath();
    for (const seat of this.#mine) {
      const x = (this.#map.x[seat] ?? 0) * at.k + at.x;
      const y = (this.#map.y[seat] ?? 0) * at.k + at.y;
      context.moveTo(x - mark * 0.22, y + mark * 0.02);
      context.lineTo(x - mark * 0.05, y + mark * 0.19);
      context.lineTo(x + mark * 0.24, y - mark * 0.17);
    }
    context.stroke();
    context.setLineDash([mark * 0.22, mark * 0.16]);
    for (const seat of this.#pending)
      this.#ring(seat, at, mark * 0.42, palette.ink, Math.max(2, mark * 0.12));
    context.setLineDash([]);
    context.lineCap = 'butt';
  }

  #ring(seat: number, at: Placement, radius: number, colour: string, width: number): void {
    const context = this.#context;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(
      (this.#map.x[seat] ?? 0) * at.k + at.x,
      (this.#map.y[seat] ?? 0) * at.k + at.y,
      radius,
      0,
      2 * Math.PI,
    );
    context.stroke();
  }

  #numbers(at: Placement, size: number, palette: Palette): void {
    const context = this.#context;
    context.font = `650 ${Math.min(17, size * 0.42)}px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = palette.onInk;
    for (const list of this.#free) {
      for (const seat of list ?? []) {
        const x = (this.#map.x[seat] ?? 0) * at.k + at.x;
        const y = (this.#map.y[seat] ?? 0) * at.k + at.y + size * 0.03;
        context.fillText(this.#numberOf(seat), x, y);
      }
    }
  }

  #numberOf(seat: number): string {
    const section = this.#map.sections[this.#map.sectionOf[seat] ?? 0];
    const row = section?.rows.findLast((one) => one.start <= seat);
    return row ? String(row.firstSeat + seat - row.start) : '';
  }
}

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

/**
 * Draws single seats. Every status has its own shape besides its colour: free seats are full, held ones hollow, sold
 * ones a small cross, blocked ones hatched, one's own carry a tick. Equal marks are drawn in one batch.
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

  /** Draws the seats in `area` (metres); `pitch` is the smallest distance between neighbours. */
  paint(seats: SeatsToPaint, area: Bounds, at: Placement, pitch: number, palette: Palette): void {
    this.#sort(seats, area, OWN_SIZE_MIN / at.k);
    const size = pitch * at.k;
    const detailed = size >= DETAILED_FROM_PX;
    const mark = size * (detailed ? SEAT_SIZE : DOT_SIZE);
    this.#free.forEach((list, level) => {
      if (list) this.#fill(list, at, mark, levelColour(palette, level), detailed);
    });
    if (detailed) this.#crosses(this.#sold, at, mark * 0.2, palette.lineStrong);
    else this.#fill(this.#sold, at, Math.max(1.4, size * SOLD_SIZE), palette.lineStrong, false);
    this.#hollows(this.#held, at, mark, palette.lineStrong, detailed);
    this.#hatches(this.#blocked, at, mark * 0.62, palette.lineStrong);
    this.#ownMarks(at, size, palette);
    if (size >= NUMBERS_FROM_PX) this.#numbers(at, size, palette);
  }

  #sort({ shapes, statusesOf, mine, pending, onlyOwn }: SeatsToPaint, area: Bounds, reach: number): void {
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
      const margin = Math.max(pitch, reach);
      for (let index = 0; index < section.seatCount; index++) {
        const seat = section.start + index;
        const seatX = x[seat] ?? 0;
        const seatY = y[seat] ?? 0;
        if (seatX < area.left - margin || seatX > area.right + margin) continue;
        if (seatY < area.top - margin || seatY > area.bottom + margin) continue;
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

  #hollows(seats: readonly number[], at: Placement, size: number, colour: string, rounded: boolean): void {
    const context = this.#context;
    context.strokeStyle = colour;
    context.lineWidth = Math.max(1, size * 0.1);
    const inner = size - context.lineWidth;
    context.beginPath();
    for (const seat of seats) {
      const left = (this.#map.x[seat] ?? 0) * at.k + at.x - inner / 2;
      const top = (this.#map.y[seat] ?? 0) * at.k + at.y - inner / 2;
      if (rounded) context.roundRect(left, top, inner, inner, inner * CORNER);
      else context.rect(left, top, inner, inner);
    }
    context.stroke();
  }

  /** `half`: from the centre to an arm's end, along each axis. */
  #crosses(seats: readonly number[], at: Placement, half: number, colour: string): void {
    const context = this.#context;
    context.strokeStyle = colour;
    context.lineWidth = Math.max(1.25, half * 0.45);
    context.beginPath();
    for (const seat of seats) {
      const x = (this.#map.x[seat] ?? 0) * at.k + at.x;
      const y = (this.#map.y[seat] ?? 0) * at.k + at.y;
      context.moveTo(x - half, y - half);
      context.lineTo(x + half, y + half);
      context.moveTo(x + half, y - half);
      context.lineTo(x - half, y + half);
    }
    context.stroke();
  }

  #hatches(seats: readonly number[], at: Placement, size: number, colour: string): void {
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
    const mark = Math.max(size * 0.98, OWN_SIZE_MIN);
    this.#fill(this.#mine, at, mark, palette.mine, true);
    context.strokeStyle = palette.onMine;
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
      this.#ring(seat, at, mark * 0.42, palette.mine, Math.max(2, mark * 0.12));
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
        context.fillText(this.#numberOf(seat), x, y);
      }
    };
    for (const list of this.#free) write(list ?? [], palette.onInk);
    write(this.#held, palette.ink2);
  }

  #numberOf(seat: number): string {
    const section = this.#map.sections[this.#map.sectionOf[seat] ?? 0];
    const row = section?.rows.findLast((one) => one.start <= seat);
    return row ? String(row.firstSeat + seat - row.start) : '';
  }
}

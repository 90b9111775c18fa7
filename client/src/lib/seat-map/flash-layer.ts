import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { spotOf } from './bounds.ts';
import type { Palette } from './palette.ts';
import type { Placement } from './seat-painter.ts';

/** What happened to a seat a moment ago: somebody took it, it came back on sale, or the buyer got it. */
export type FlashKind = 'taken' | 'freed' | 'yours';

interface Flash {
  readonly kind: FlashKind;
  readonly since: number;
}

const FLASH_MS = 900;
const FLASHES_MAX = 200;
/** A ring stays in its seat's neighbourhood: this many seats from its centre. */
const REACH = 1.2;

/**
 * What glows for a moment lies on a canvas of its own above the map, so that showing it moves nothing below. Only
 * what was drawn the last time is cleared.
 */
export class FlashLayer {
  readonly #context: CanvasRenderingContext2D;
  readonly #map: SeatMap;
  readonly #pitch: number;
  readonly #flashes = new Map<number, Flash>();
  #hovered: number | null = null;
  #drawn: { readonly seat: number; readonly at: Placement }[] = [];

  /** `pitch`: metres between neighbouring seats. */
  constructor(context: CanvasRenderingContext2D, map: SeatMap, pitch: number) {
    this.#context = context;
    this.#map = map;
    this.#pitch = pitch;
  }

  /** The canvas has a new size, which left it empty; `ratio`: pixels of the screen in a CSS pixel. */
  resize(ratio: number): void {
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#drawn = [];
  }

  add(seat: number, kind: FlashKind, now: number): void {
    if (this.#flashes.size < FLASHES_MAX) this.#flashes.set(seat, { kind, since: now });
  }

  /** Rings the seat under the mouse. */
  hover(seat: number | null): void {
    this.#hovered = seat;
  }

  /** Nothing glows any more: the view is another one. */
  clear(): void {
    this.#flashes.clear();
  }

  /** Draws what glows at this moment. Returns whether it will look different at the next. */
  draw(at: Placement, now: number, palette: Palette): boolean {
    for (const { seat, at: before } of this.#drawn) this.#wipe(seat, before);
    this.#drawn = [];
    for (const [seat, { kind, since }] of this.#flashes) {
      const age = Math.max(0, (now - since) / FLASH_MS);
      if (age >= 1) this.#flashes.delete(seat);
      else this.#flash(seat, kind, age, at, palette);
    }
    if (this.#hovered !== null) {
      const size = this.#pitch * at.k;
      this.#ring(this.#hovered, at, size * 0.56, palette.ink, 2);
    }
    return this.#flashes.size > 0;
  }

  /** Taken closes in on the seat, freed opens from it, yours opens wide: told apart by movement, not by colour alone. */
  #flash(seat: number, kind: FlashKind, age: number, at: Placement, palette: Palette): void {
    const size = this.#pitch * at.k;
    const width = Math.max(1.5, size * (kind === 'yours' ? 0.2 : 0.12));
    const radius = kind === 'taken' ? 1 - age * 0.55 : 0.45 + age * 0.55;
    this.#context.globalAlpha = (1 - age) * 0.9;
    this.#ring(
      seat,
      at,
      size * radius,
      { taken: palette.taken, freed: palette.freed, yours: palette.mine }[kind],
      width,
    );
    this.#context.globalAlpha = 1;
  }

  #ring(seat: number, at: Placement, radius: number, colour: string, width: number): void {
    const context = this.#context;
    const [x, y] = this.#centre(seat, at);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
    this.#drawn.push({ seat, at });
  }

  #wipe(seat: number, at: Placement): void {
    const [x, y] = this.#centre(seat, at);
    const reach = this.#pitch * at.k * REACH + 2;
    this.#context.clearRect(x - reach, y - reach, 2 * reach, 2 * reach);
  }

  #centre(seat: number, at: Placement): readonly [x: number, y: number] {
    const [x, y] = spotOf(this.#map, seat);
    return [x * at.k + at.x, y * at.k + at.y];
  }
}

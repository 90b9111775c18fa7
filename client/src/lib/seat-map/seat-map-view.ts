import type { SeatChange } from '@stampede/shared/seat-map/section-delta.ts';
import { AVAILABLE, HELD } from '@stampede/shared/seat-map/seat-status.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { Sale } from '#lib/sale/sale.svelte.ts';
import { Camera } from './camera.ts';
import { FlashLayer } from './flash-layer.ts';
import { HitTest } from './hit-test.ts';
import {
  detailLevel,
  isPressable,
  NUMBERS_FROM_PX,
  sectionsInView,
  type DetailLevel,
} from './level-of-detail.ts';
import { type Palette, readPalette } from './palette.ts';
import { middleOf } from './bounds.ts';
import { type SeatGeometry, seatGeometryOf, type SectionShape } from './seat-geometry.ts';
import { SeatMapPicture } from './seat-map-picture.ts';
import type { SectionWords } from './section-labels.ts';

/** What the page around the map does, and how the buyer wants to see it. */
export interface SeatMapPage {
  readonly wordsOf: (summary: SectionSummary) => SectionWords;
  /** A seat that can be taken or given back was pressed. */
  press(seat: number): void;
  /** A seat is pointed at, or one that can't be had was pressed: say what it is. */
  point(seat: number | null, x: number, y: number): void;
  level(level: DetailLevel): void;
  /** Whether nothing may move by itself. */
  isStill(): boolean;
  /** Whether the colours are the buyer's own. */
  hasForcedColours(): boolean;
}

const SECTIONS_MAX = 64;
/** A ring that fades needs no more pictures a second, and each costs a turn of the page's only thread. */
const FLASH_STEP_MS = 40;
const SEAT_PX_MAX = 52;
const ZOOM_STEP = 1.9;
/** A section zoomed to fills this much of the canvas. */
const SECTION_FILL = 0.86;

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser draws no canvas');
  return context;
}

/** The map on its two canvases: placing, drawing when something changed, and turning presses into seats. */
export class SeatMapView {
  readonly #canvas: HTMLCanvasElement;
  readonly #glow: HTMLCanvasElement;
  readonly #sale: Sale;
  readonly #geometry: SeatGeometry;
  readonly #hits: HitTest;
  readonly #page: SeatMapPage;
  readonly #picture: SeatMapPicture;
  readonly #flashes: FlashLayer;
  readonly #camera: Camera;
  readonly #end = new AbortController();
  #palette: Palette;
  #mine: ReadonlySet<number> | null = null;
  #pending: ReadonlySet<number> = new Set();
  #hovered: number | null = null;
  #frame = 0;
  #nextFlash: ReturnType<typeof setTimeout> | undefined;
  #level: DetailLevel | null = null;
  #watched = '';

  /** `glow` lies above `canvas`, which takes the presses. */
  constructor(
    [canvas, glow]: readonly [canvas: HTMLCanvasElement, glow: HTMLCanvasElement],
    sale: Sale,
    page: SeatMapPage,
  ) {
    const context = contextOf(canvas);
    this.#canvas = canvas;
    this.#glow = glow;
    this.#sale = sale;
    this.#geometry = seatGeometryOf(sale.map, sale.layout);
    this.#hits = new HitTest(sale.map, this.#geometry.sections);
    this.#page = page;
    this.#picture = new SeatMapPicture(context, sale, this.#geometry, page.wordsOf);
    this.#flashes = new FlashLayer(contextOf(glow), sale.map, this.#geometry.pitch);
    this.#palette = this.#readPalette();
    this.#camera = new Camera({
      canvas,
      venue: this.#geometry.bounds,
      closest: SEAT_PX_MAX / this.#geometry.pitch,
      // Two presses on a seat are two presses, not a zoom.
      zoomsOnDouble: (touch) => !this.#isPressable(touch),
      isStill: () => page.isStill(),
      moved: () => this.#moved(),
    });
    this.#listen();
  }

  /** Ends drawing and listening. */
  destroy(): void {
    this.#end.abort();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#nextFlash);
    this.#camera.destroy();
    this.#sale.watchFromMap([]);
  }

  /** One's own seats, and those on their way to or from being it. */
  own(mine: ReadonlySet<number>, pending: ReadonlySet<number>): void {
    const before = this.#mine;
    for (const seat of [...(before ?? []), ...this.#pending, ...mine, ...pending]) this.#picture.touch(seat);
    if (before) for (const seat of mine) if (!before.has(seat)) this.#flash(seat, 'yours');
    this.#mine = mine;
    this.#pending = pending;
    this.#redraw();
  }

  /** Seats of a section changed; `changes` is null when all of them may have. */
  #changed(section: number, changes: readonly SeatChange[] | null): void {
    if (!changes) {
      this.#repaint();
      return;
    }
    const start = this.#sale.map.sections[section]?.start ?? 0;
    for (const { seat, status } of changes) {
      const index = start + seat;
      this.#picture.touch(index);
      if (this.#mine?.has(index) || this.#pending.has(index)) continue;
      if (status === HELD || status === AVAILABLE) this.#flash(index, status === HELD ? 'taken' : 'freed');
    }
    this.#redraw();
  }

  /** What sections have left changed, or the words for it. */
  summarised(): void {
    const isUnknown = (section: number) => this.#sale.statusesOf(section) === undefined;
    const inView = this.#level
      ? sectionsInView(this.#geometry, this.#camera.view, this.#level, Infinity)
      : [];
    if (this.#level === 'sections' || inView.some(isUnknown)) this.#repaint();
  }

  zoomBy(direction: 1 | -1): void {
    this.#camera.zoomBy(direction > 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
  }

  showAll(): void {
    this.#camera.showAll();
  }

  /** The colours or the face of the text may have changed. */
  recolour(): void {
    this.#palette = this.#readPalette();
    this.#picture.remeasure();
    this.#redraw();
  }

  resize(width: number, height: number): void {
    if (width === 0 || height === 0) return;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.#canvas, this.#glow]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.#picture.resize(width, height, ratio);
    this.#flashes.resize(ratio);
    this.#camera.resize(width, height);
    this.#redraw();
  }

  #isPressable(touch: boolean): boolean {
    return isPressable(this.#geometry.pitch * this.#camera.k, touch);
  }

  #moved(): void {
    const level = detailLevel(this.#geometry.pitch * this.#camera.k);
    if (level !== this.#level) this.#page.level(level);
    this.#level = level;
    const sections = sectionsInView(this.#geometry, this.#camera.view, level, SECTIONS_MAX);
    const watched = sections.toSorted((a, b) => a - b).join();
    if (watched !== this.#watched) this.#sale.watchFromMap(sections);
    this.#watched = watched;
    this.#point(null, 0, 0);
    this.#redraw();
  }

  #listen(): void {
    const { signal } = this.#end;
    signal.addEventListener(
      'abort',
      this.#sale.onSeats((section, changes) => this.#changed(section, changes)),
    );
    this.#canvas.addEventListener('click', (event) => this.#press(event), { signal });
    this.#canvas.addEventListener(
      'pointermove',
      (event) => {
        if (event.pointerType !== 'mouse' || event.buttons !== 0) return;
        const seat = this.#level === 'sections' ? null : this.#seatAt(event);
        this.#point(seat, event.offsetX, event.offsetY);
      },
      { signal },
    );
    this.#canvas.addEventListener('pointerleave', () => this.#point(null, 0, 0), { signal });
  }

  /** The seat under a pointer. None where seats aren't shown one by one, because nobody knows them. */
  #seatAt(event: MouseEvent): number | null {
    const seat = this.#hits.seatAt(...this.#camera.spotOf(event));
    return seat !== null && this.#sale.statusOf(seat) !== undefined ? seat : null;
  }

  /** Whether pressing a seat does something. */
  #canBePressed(seat: number): boolean {
    return this.#mine?.has(seat) === true || this.#sale.statusOf(seat) === AVAILABLE;
  }

  #press(event: MouseEvent): void {
    const touch = event instanceof PointerEvent && event.pointerType === 'touch';
    const pressable = this.#isPressable(touch);
    const seat = pressable ? this.#seatAt(event) : null;
    if (seat !== null) {
      // Whoever presses what can't be had is told what it is, at once and right there.
      if (this.#canBePressed(seat)) this.#page.press(seat);
      else this.#point(seat, event.offsetX, event.offsetY);
      return;
    }
    this.#point(null, 0, 0);
    const spot = this.#camera.spotOf(event);
    const shape = this.#hits.sectionAt(...spot);
    if (!shape) return;
    const isClose = pressable && this.#level === 'seats';
    if (!isClose || this.#sale.statusesOf(shape.section.index) === undefined) this.#approach(shape, spot);
  }

  /** Zooms so that the section's seats can be pressed: to all of it, or else to the pressed spot. */
  #approach({ bounds, pitch }: SectionShape, spot: readonly [number, number]): void {
    const whole = this.#camera.kToFit(bounds, SECTION_FILL);
    const pressable = (NUMBERS_FROM_PX + 2) / pitch;
    if (whole < pressable) this.#camera.lookAt(spot, pressable);
    else this.#camera.lookAt(middleOf(bounds), Math.min(whole, SEAT_PX_MAX / pitch));
  }

  #point(seat: number | null, x: number, y: number): void {
    if (seat === null && this.#hovered === null) return;
    if (seat !== this.#hovered) this.#redraw();
    this.#hovered = seat;
    this.#flashes.hover(seat);
    this.#canvas.style.cursor = seat === null ? '' : this.#canBePressed(seat) ? 'pointer' : 'default';
    this.#page.point(seat, x, y);
  }

  #flash(seat: number, kind: 'taken' | 'freed' | 'yours'): void {
    if (this.#level !== 'sections' && !this.#page.isStill()) this.#flashes.add(seat, kind, performance.now());
  }

  #readPalette(): Palette {
    return readPalette(this.#canvas.parentElement ?? document.body, this.#page.hasForcedColours());
  }

  #repaint(): void {
    this.#picture.touchAll();
    this.#redraw();
  }

  #redraw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    // Before the first size is known there is nothing to draw on.
    if (this.#level === null) return;
    const at = this.#camera.placement;
    const [palette, level] = [this.#palette, this.#level];
    this.#picture.draw({ at, level, palette, mine: this.#mine ?? new Set(), pending: this.#pending });
    if (level === 'sections') this.#flashes.clear();
    const glowing = this.#flashes.draw(at, now, palette);
    clearTimeout(this.#nextFlash);
    if (glowing) this.#nextFlash = setTimeout(() => this.#redraw(), FLASH_STEP_MS);
  }
}

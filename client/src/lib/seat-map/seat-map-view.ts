import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import type { SeatChange } from '@stampede/shared/seat-map/section-delta.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { select } from 'd3-selection';
import {
  zoom,
  zoomIdentity,
  zoomTransform,
  type D3ZoomEvent,
  type ZoomBehavior,
  type ZoomTransform,
} from 'd3-zoom';
import { Glide, interrupt } from './glide.ts';
import { HitTest } from './hit-test.ts';
import {
  detailLevel,
  isPressable,
  NUMBERS_FROM_PX,
  sectionsInView,
  type DetailLevel,
} from './level-of-detail.ts';
import { type Palette, readPalette } from './palette.ts';
import {
  type Bounds,
  overlaps,
  type SeatGeometry,
  seatGeometryOf,
  type SectionShape,
} from './seat-geometry.ts';
import { SeatPainter } from './seat-painter.ts';
import { type SectionWords, VenuePainter } from './venue-painter.ts';

/** What the map shows besides the venue itself; asked for at every drawing. */
export interface SeatMapSource {
  readonly statusesOf: (section: number) => Uint8Array | undefined;
  readonly summaryOf: (section: number) => SectionSummary | undefined;
  readonly wordsOf: (summary: SectionSummary) => SectionWords;
}

export interface SeatMapEvents {
  press(seat: number): void;
  hover(seat: number | null, x: number, y: number): void;
  watch(sections: readonly number[]): void;
  level(level: DetailLevel): void;
}

const SECTIONS_MAX = 64;
const FLASH_MS = 900;
const FLASHES_MAX = 200;
const MOVE_MS = 280;
const SEAT_PX_MAX = 52;
/** Room around the venue when all of it is shown. */
const MARGIN_PX = 20;
const ZOOM_STEP = 1.9;
/** A section zoomed to fills this much of the canvas. */
const SECTION_FILL = 0.86;

/** The map on its canvas: placing, drawing when something changed, and turning presses into seats. */
export class SeatMapView {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #map: SeatMap;
  readonly #layout: VenueLayout;
  readonly #geometry: SeatGeometry;
  readonly #hits: HitTest;
  readonly #source: SeatMapSource;
  readonly #events: SeatMapEvents;
  readonly #seats: SeatPainter;
  readonly #venue: VenuePainter;
  readonly #zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  readonly #still: () => boolean;
  readonly #flashes = new Map<number, number>();
  readonly #end = new AbortController();
  #palette: Palette;
  #mine: ReadonlySet<number> = new Set();
  #pending: ReadonlySet<number> = new Set();
  #hovered: number | null = null;
  #width = 0;
  #height = 0;
  #frame = 0;
  #level: DetailLevel | null = null;
  #watched = '';

  constructor(
    canvas: HTMLCanvasElement,
    venue: { map: SeatMap; layout: VenueLayout },
    source: SeatMapSource,
    events: SeatMapEvents,
    still: () => boolean,
  ) {
    const context = canvas.getContext('2d');
    if (!context) throw new Error('this browser draws no canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#map = venue.map;
    this.#layout = venue.layout;
    this.#geometry = seatGeometryOf(venue.map, venue.layout);
    this.#hits = new HitTest(venue.map, this.#geometry);
    this.#source = source;
    this.#events = events;
    this.#still = still;
    this.#seats = new SeatPainter(context, venue.map);
    this.#venue = new VenuePainter(context);
    this.#palette = readPalette(canvas.parentElement ?? document.body);
    this.#zoom = zoom<HTMLCanvasElement, unknown>()
      .filter((event: Event) => this.#takesPart(event))
      .clickDistance(6)
      .on('zoom', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => this.#moved(event));
    select(canvas).call(this.#zoom);
    this.#listen();
  }

  /** Ends drawing and listening. */
  destroy(): void {
    this.#end.abort();
    cancelAnimationFrame(this.#frame);
    interrupt(this.#canvas);
    select(this.#canvas).on('.zoom', null);
  }

  /** One's own seats, and those on their way to or from being it. */
  own(mine: ReadonlySet<number>, pending: ReadonlySet<number>): void {
    this.#mine = mine;
    this.#pending = pending;
    this.redraw();
  }

  /** Seats of a section changed; `changes` is null when all of them may have. */
  changed(section: number, changes: readonly SeatChange[] | null): void {
    const start = this.#map.sections[section]?.start ?? 0;
    if (changes && !this.#still()) {
      const now = performance.now();
      for (const { seat } of changes) {
        const index = start + seat;
        if (this.#mine.has(index) || this.#pending.has(index) || this.#flashes.size >= FLASHES_MAX) continue;
        this.#flashes.set(index, now);
      }
    }
    this.redraw();
  }

  zoomBy(direction: 1 | -1): void {
    this.#zoom.scaleBy(this.#glide(), direction > 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
  }

  showAll(): void {
    this.#zoom.transform(this.#glide(), this.#fit(this.#geometry.bounds));
  }

  showSection({ bounds, pitch }: SectionShape): void {
    const fit = this.#fit(bounds, SECTION_FILL);
    // A long section would still be too small to press; then its middle is shown larger.
    const k = Math.min(Math.max(fit.k, (NUMBERS_FROM_PX + 2) / pitch), SEAT_PX_MAX / pitch);
    const x = this.#width / 2 - ((bounds.left + bounds.right) / 2) * k;
    const y = this.#height / 2 - ((bounds.top + bounds.bottom) / 2) * k;
    this.#zoom.transform(this.#glide(), zoomIdentity.translate(x, y).scale(k));
  }

  redraw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  /** The colours may have changed: read them again. */
  recolour(): void {
    this.#palette = readPalette(this.#canvas.parentElement ?? document.body);
    this.redraw();
  }

  resize(width: number, height: number): void {
    if (width === 0 || height === 0) return;
    const first = this.#width === 0;
    const before = this.#fit(this.#geometry.bounds);
    const wasWhole = first || Math.abs(zoomTransform(this.#canvas).k - before.k) < before.k * 0.02;
    this.#width = width;
    this.#height = height;
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    const fit = this.#fit(this.#geometry.bounds);
    const { bounds, pitch } = this.#geometry;
    const roomX = (width / fit.k) * 0.35;
    const roomY = (height / fit.k) * 0.35;
    this.#zoom
      .extent([
        [0, 0],
        [width, height],
      ])
      .scaleExtent([fit.k * 0.9, Math.max(fit.k * 1.5, SEAT_PX_MAX / pitch)])
      .translateExtent([
        [bounds.left - roomX, bounds.top - roomY],
        [bounds.right + roomX, bounds.bottom + roomY],
      ]);
    if (wasWhole) this.#zoom.transform(select(this.#canvas), fit);
    this.redraw();
  }

  get #transform(): ZoomTransform {
    return zoomTransform(this.#canvas);
  }

  #glide(): Glide {
    return new Glide(select(this.#canvas)).duration(this.#still() ? 0 : MOVE_MS);
  }

  #fit(bounds: Bounds, share = 1): ZoomTransform {
    const width = bounds.right - bounds.left;
    const height = bounds.bottom - bounds.top;
    const roomX = Math.max(1, this.#width - 2 * MARGIN_PX);
    const roomY = Math.max(1, this.#height - 2 * MARGIN_PX);
    const k = Math.min(roomX / width, roomY / height) * share;
    const x = (this.#width - width * k) / 2 - bounds.left * k;
    const y = (this.#height - height * k) / 2 - bounds.top * k;
    return zoomIdentity.translate(x, y).scale(k);
  }

  get #view(): Bounds {
    const { k, x, y } = this.#transform;
    return { left: -x / k, top: -y / k, right: (this.#width - x) / k, bottom: (this.#height - y) / k };
  }

  /** Two presses on a seat are two presses, not a zoom; a wheel with Ctrl is a pinch. */
  #takesPart(event: Event): boolean {
    if (event.type === 'dblclick' || event.type === 'touchend') {
      return !isPressable(this.#geometry.pitch * this.#transform.k, event.type === 'touchend');
    }
    return event.type === 'wheel' || !('button' in event) || event.button === 0;
  }

  #moved(event: D3ZoomEvent<HTMLCanvasElement, unknown>): void {
    // Before the first size is known there is no view to speak of.
    if (this.#width === 0) return;
    const level = detailLevel(this.#geometry.pitch * event.transform.k);
    if (level !== this.#level) this.#events.level(level);
    this.#level = level;
    const sections = sectionsInView(this.#geometry, this.#view, level, SECTIONS_MAX);
    const watched = sections.toSorted((a, b) => a - b).join();
    if (watched !== this.#watched) this.#events.watch(sections);
    this.#watched = watched;
    this.#hover(null, 0, 0);
    this.redraw();
  }

  #listen(): void {
    const { signal } = this.#end;
    this.#canvas.addEventListener('click', (event) => this.#press(event), { signal });
    this.#canvas.addEventListener(
      'pointermove',
      (event) => {
        if (event.pointerType !== 'mouse' || event.buttons !== 0) return;
        const seat = this.#level === 'sections' ? null : this.#seatAt(event);
        this.#hover(seat, event.offsetX, event.offsetY);
      },
      { signal },
    );
    this.#canvas.addEventListener('pointerleave', () => this.#hover(null, 0, 0), { signal });
  }

  #seatAt(event: MouseEvent): number | null {
    const [x, y] = this.#transform.invert([event.offsetX, event.offsetY]);
    return this.#hits.seatAt(x, y);
  }

  #press(event: MouseEvent): void {
    const touch = event instanceof PointerEvent && event.pointerType === 'touch';
    const pressable = isPressable(this.#geometry.pitch * this.#transform.k, touch);
    const seat = pressable ? this.#seatAt(event) : null;
    if (seat !== null) this.#events.press(seat);
    if (seat !== null || (pressable && this.#level === 'seats')) return;
    const [x, y] = this.#transform.invert([event.offsetX, event.offsetY]);
    const shape = this.#hits.sectionAt(x, y);
    if (!shape) return;
    this.#approach(shape, x, y);
  }

  /** Zooms so that the section's seats can be pressed, keeping the pressed spot in view. */
  #approach(shape: SectionShape, x: number, y: number): void {
    const fit = this.#fit(shape.bounds, SECTION_FILL);
    const pressable = (NUMBERS_FROM_PX + 2) / shape.pitch;
    if (fit.k >= pressable) {
      this.showSection(shape);
      return;
    }
    const target = zoomIdentity.translate(this.#width / 2 - x * pressable, this.#height / 2 - y * pressable);
    this.#zoom.transform(this.#glide(), target.scale(pressable));
  }

  #hover(seat: number | null, x: number, y: number): void {
    if (seat === null && this.#hovered === null) return;
    if (seat !== this.#hovered) this.redraw();
    this.#hovered = seat;
    this.#canvas.style.cursor = seat === null ? '' : 'pointer';
    this.#events.hover(seat, x, y);
  }

  #draw(now: number): void {
    this.#frame = 0;
    if (this.#width === 0 || this.#level === null) return;
    const ratio = window.devicePixelRatio || 1;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, this.#width, this.#height);
    this.#venue.paper = this.#palette.face;
    const at = this.#transform;
    const view = this.#view;
    const shapes = this.#geometry.sections.filter((shape) => overlaps(shape.bounds, view));
    for (const landmark of this.#layout.landmarks) this.#venue.landmark(landmark, at, this.#palette);
    if (this.#level === 'sections') this.#drawSections(shapes);
    else this.#drawSeats(shapes, view, now);
  }

  #drawSections(shapes: readonly SectionShape[]): void {
    const at = this.#transform;
    for (const shape of shapes) {
      const summary = this.#source.summaryOf(shape.section.index);
      this.#venue.section(shape, summary, at, this.#palette);
    }
    for (const shape of shapes) {
      const summary = this.#source.summaryOf(shape.section.index);
      const words = summary ? this.#source.wordsOf(summary) : null;
      this.#venue.label(shape, words, at, this.#palette, !summary || summary.free === 0);
    }
    this.#drawOwn(shapes);
  }

  /** One's own seats show even where no other seat does. */
  #drawOwn(shapes: readonly SectionShape[]): void {
    if (this.#mine.size === 0) return;
    const own = shapes.filter(({ section }) =>
      [...this.#mine].some((seat) => this.#map.sectionOf[seat] === section.index),
    );
    const seats = {
      shapes: own,
      statusesOf: this.#source.statusesOf,
      mine: this.#mine,
      pending: this.#pending,
    };
    const { pitch } = this.#geometry;
    this.#seats.paint(
      { ...seats, hovered: null, onlyOwn: true },
      this.#view,
      this.#transform,
      pitch,
      this.#palette,
    );
  }

  #drawSeats(shapes: readonly SectionShape[], view: Bounds, now: number): void {
    const at = this.#transform;
    const { pitch } = this.#geometry;
    for (const shape of shapes) this.#venue.ground(shape, at, this.#palette);
    const seats = { shapes, statusesOf: this.#source.statusesOf, mine: this.#mine, pending: this.#pending };
    this.#seats.paint({ ...seats, hovered: this.#hovered, onlyOwn: false }, view, at, pitch, this.#palette);
    if (this.#level === 'seats') this.#drawRowLabels(shapes);
    for (const shape of shapes) this.#venue.tag(shape, at, this.#palette);
    for (const [seat, since] of this.#flashes) {
      const age = (now - since) / FLASH_MS;
      if (age >= 1) this.#flashes.delete(seat);
      else this.#seats.flash(seat, Math.max(0, age), at, pitch, this.#palette);
    }
    if (this.#flashes.size > 0) this.redraw();
  }

  #drawRowLabels(shapes: readonly SectionShape[]): void {
    const { k, x, y } = this.#transform;
    for (const { section, pitch } of shapes) {
      for (const row of section.rows) {
        const [first, second] = [row.start, row.start + Math.min(1, row.seatCount - 1)];
        const seatX = this.#map.x[first] ?? 0;
        const seatY = this.#map.y[first] ?? 0;
        const stepX = (this.#map.x[second] ?? 0) - seatX || pitch;
        const stepY = (this.#map.y[second] ?? 0) - seatY;
        this.#venue.rowLabel(
          row.label,
          (seatX - stepX) * k + x,
          (seatY - stepY) * k + y,
          pitch * k,
          this.#palette,
        );
      }
    }
  }
}

import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { Sale } from '#lib/sale/sale.svelte.ts';
import { type Bounds, boundsOf, overlaps, spotOf, widened } from './bounds.ts';
import type { DetailLevel } from './level-of-detail.ts';
import type { Palette } from './palette.ts';
import type { SeatGeometry, SectionShape } from './seat-geometry.ts';
import { OWN_SIZE_MIN, type Placement, SeatPainter } from './seat-painter.ts';
import { placeLabels, type SectionLabel, type SectionWords } from './section-labels.ts';
import { landmarkBox, VenuePainter } from './venue-painter.ts';

/** How the map is shown at the moment. */
export interface Scene {
  readonly at: Placement;
  readonly level: DetailLevel;
  readonly palette: Palette;
  readonly mine: ReadonlySet<number>;
  readonly pending: ReadonlySet<number>;
}

/** Widths grow with the size, so each text is measured once, at this one. */
const MEASURED_SIZE = 100;
/** How far marks reach beyond what they belong to: borders, halos, ground. */
const REACH_PX = 12;

/**
 * The map as it stands still. A section whose statuses are known is drawn seat by seat once there is room; every other
 * is a shape that tells what share of it is free. What is painted stays: only seats that changed are painted, or the
 * edges that come into view when it is moved, and all of it when it is zoomed.
 */
export class SeatMapPicture {
  readonly #context: CanvasRenderingContext2D;
  readonly #sale: Sale;
  readonly #geometry: SeatGeometry;
  readonly #wordsOf: (summary: SectionSummary) => SectionWords;
  readonly #seats: SeatPainter;
  readonly #venue: VenuePainter;
  readonly #widths = new Map<string, number>();
  #labels: {
    readonly k: number;
    readonly level: DetailLevel;
    readonly list: readonly SectionLabel[];
  } | null = null;
  readonly #stale = new Set<number>();
  #allStale = true;
  #width = 0;
  #height = 0;
  #ratio = 1;
  #shown: Placement | null = null;

  constructor(
    context: CanvasRenderingContext2D,
    sale: Sale,
    geometry: SeatGeometry,
    wordsOf: (summary: SectionSummary) => SectionWords,
  ) {
    this.#context = context;
    this.#sale = sale;
    this.#geometry = geometry;
    this.#wordsOf = wordsOf;
    this.#seats = new SeatPainter(context, sale.map);
    this.#venue = new VenuePainter(context);
  }

  /** In CSS pixels, of which each has `ratio` pixels of the screen in a row. */
  resize(width: number, height: number, ratio: number): void {
    [this.#width, this.#height, this.#ratio] = [width, height, ratio];
    this.touchAll();
  }

  touch(seat: number): void {
    this.#stale.add(seat);
  }

  /** All of it may have changed: what labels say too, or which sections are drawn seat by seat. */
  touchAll(): void {
    this.#allStale = true;
    this.#labels = null;
  }

  /** Texts are as wide as their face makes them, and another one has come. */
  remeasure(): void {
    this.#widths.clear();
    this.touchAll();
  }

  draw(scene: Scene): void {
    const { at } = scene;
    const all = { left: 0, top: 0, right: this.#width, bottom: this.#height };
    const areas = this.#allStale || this.#shown?.k !== at.k ? [all] : this.#move(this.#shown, at);
    if (areas[0] !== all) areas.push(...this.#staleAreas(at));
    this.#allStale = false;
    this.#stale.clear();
    this.#shown = at;
    for (const area of areas) this.#paint(scene, area);
  }

  /** Moves what is painted already. Returns what came into view, in CSS pixels. */
  #move(from: Placement, to: Placement): Bounds[] {
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const [width, height] = [this.#width, this.#height];
    if (dx === 0 && dy === 0) return [];
    if (Math.abs(dx) >= width || Math.abs(dy) >= height)
      return [{ left: 0, top: 0, right: width, bottom: height }];
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'copy';
    context.drawImage(context.canvas, Math.round(dx * this.#ratio), Math.round(dy * this.#ratio));
    context.globalCompositeOperation = 'source-over';
    const areas: Bounds[] = [];
    if (dx !== 0) {
      const [left, right] = dx > 0 ? [0, dx] : [width + dx, width];
      areas.push({ left, right, top: 0, bottom: height });
    }
    if (dy !== 0) {
      const [top, bottom] = dy > 0 ? [0, dy] : [height + dy, height];
      areas.push({ left: 0, right: width, top, bottom });
    }
    return areas;
  }

  /** Around the seats that changed, one area for those of a section, in CSS pixels. */
  #staleAreas({ k, x, y }: Placement): Bounds[] {
    const reach = Math.max(this.#geometry.pitch * k * 0.6, OWN_SIZE_MIN / 2) + 2;
    const { map } = this.#sale;
    return [...Map.groupBy(this.#stale, (seat) => map.sectionOf[seat]).values()].map((seats) => {
      const spots = seats.map((seat) => spotOf(map, seat));
      return widened(boundsOf(spots.map(([seatX, seatY]) => [seatX * k + x, seatY * k + y])), reach);
    });
  }

  #paint(scene: Scene, area: Bounds): void {
    const pixels = this.#wholePixels(area);
    const [width, height] = [pixels.right - pixels.left, pixels.bottom - pixels.top];
    if (width <= 0 || height <= 0) return;
    const context = this.#context;
    const { k, x, y } = scene.at;
    context.save();
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.beginPath();
    context.rect(pixels.left, pixels.top, width, height);
    context.clip();
    context.clearRect(pixels.left, pixels.top, width, height);
    this.#paintArea(scene, {
      left: (pixels.left - x) / k,
      top: (pixels.top - y) / k,
      right: (pixels.right - x) / k,
      bottom: (pixels.bottom - y) / k,
    });
    context.restore();
  }

  /** Edges on the screen's own pixels leave no seam. */
  #wholePixels({ left, top, right, bottom }: Bounds): Bounds {
    const down = (at: number) => Math.floor(at * this.#ratio) / this.#ratio;
    const up = (at: number) => Math.ceil(at * this.#ratio) / this.#ratio;
    return {
      left: Math.max(0, down(left)),
      top: Math.max(0, down(top)),
      right: Math.min(up(this.#width), up(right)),
      bottom: Math.min(up(this.#height), up(bottom)),
    };
  }

  /** Draws what lies in `area` (metres), which has to be clear; what reaches beyond it is clipped away. */
  #paintArea(scene: Scene, area: Bounds): void {
    const { at, palette } = scene;
    for (const landmark of this.#sale.layout.landmarks) this.#venue.landmark(landmark, at, palette);
    const reach = REACH_PX / at.k + this.#geometry.pitch;
    const shapes = this.#geometry.sections.filter(({ bounds }) => overlaps(widened(bounds, reach), area));
    const single = shapes.filter((shape) => this.#showsSeats(shape, scene.level));
    const whole = shapes.filter((shape) => !this.#showsSeats(shape, scene.level));
    for (const shape of whole) {
      this.#venue.section(shape, this.#sale.summaries.get(shape.section.index), at, palette);
    }
    for (const shape of single) this.#venue.ground(shape, at, palette);
    this.#paintSeats(scene, area, single, false);
    if (scene.level === 'seats') this.#rowLabels(single, at, palette);
    const box = {
      left: area.left * at.k,
      top: area.top * at.k,
      right: area.right * at.k,
      bottom: area.bottom * at.k,
    };
    for (const label of this.#labelsFor(scene)) {
      if (overlaps(widened(label.box, REACH_PX), box)) this.#venue.label(label, at, palette);
    }
    // One's own seats show even where no other seat does.
    const own = new Set([...scene.mine, ...scene.pending].map((seat) => this.#sale.map.sectionOf[seat]));
    const withOwn = whole.filter(({ section }) => own.has(section.index));
    this.#paintSeats(scene, area, withOwn, true);
  }

  #showsSeats({ section }: SectionShape, level: DetailLevel): boolean {
    return level !== 'sections' && this.#sale.statusesOf(section.index) !== undefined;
  }

  #paintSeats(
    { at, palette, mine, pending }: Scene,
    area: Bounds,
    shapes: readonly SectionShape[],
    onlyOwn: boolean,
  ) {
    const statusesOf = (section: number) => this.#sale.statusesOf(section);
    this.#seats.paint(
      { shapes, statusesOf, mine, pending, onlyOwn },
      area,
      at,
      this.#geometry.pitch,
      palette,
    );
  }

  /** The names that stand at this zoom: the same wherever the map is moved. */
  #labelsFor({ at: { k }, level, palette }: Scene): readonly SectionLabel[] {
    if (this.#labels?.k === k && this.#labels.level === level) return this.#labels.list;
    const measure = (text: string, size: number, weight: number) => {
      const key = `${weight} ${text}`;
      let width = this.#widths.get(key);
      if (width === undefined) {
        this.#context.font = `${weight} ${MEASURED_SIZE}px ${palette.font}`;
        width = this.#context.measureText(text).width;
        this.#widths.set(key, width);
      }
      return (width * size) / MEASURED_SIZE;
    };
    const wishes = this.#geometry.sections.map((shape) => {
      const summary = this.#sale.summaries.get(shape.section.index);
      const words = summary ? this.#wordsOf(summary) : null;
      return { shape, seatsShown: this.#showsSeats(shape, level), words, faint: summary?.free === 0 };
    });
    const obstacles = this.#sale.layout.landmarks.map((landmark) => landmarkBox(landmark, k, measure));
    const list = placeLabels(wishes, k, obstacles, measure);
    this.#labels = { k, level, list };
    return list;
  }

  #rowLabels(shapes: readonly SectionShape[], { k, x, y }: Placement, palette: Palette): void {
    for (const { section, pitch } of shapes) {
      for (const row of section.rows) {
        const [first, second] = [row.start, row.start + Math.min(1, row.seatCount - 1)];
        const [seatX, seatY] = spotOf(this.#sale.map, first);
        const [nextX, nextY] = spotOf(this.#sale.map, second);
        const [stepX, stepY] = [nextX - seatX || pitch, nextY - seatY];
        this.#venue.rowLabel(row.label, (seatX - stepX) * k + x, (seatY - stepY) * k + y, pitch * k, palette);
      }
    }
  }
}

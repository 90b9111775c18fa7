import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { DetailLevel } from './level-of-detail.ts';
import type { StatusesOf } from './offered-seats.ts';
import type { Palette } from './palette.ts';
import { type Bounds, overlaps, type SeatGeometry, type SectionShape, widened } from './seat-geometry.ts';
import { type Placement, SeatPainter } from './seat-painter.ts';
import { placeLabels, type SectionLabel, type SectionWords } from './section-labels.ts';
import { landmarkBox, VenuePainter } from './venue-painter.ts';

/** What the map shows besides the venue itself; asked for at every drawing. */
export interface SeatMapSource {
  readonly statusesOf: StatusesOf;
  readonly summaryOf: (section: number) => SectionSummary | undefined;
  readonly wordsOf: (summary: SectionSummary) => SectionWords;
}

/** How it is shown at the moment. */
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
 * The map as it stands still, in any part of the canvas. A section whose statuses are known is drawn seat by seat
 * once there is room; every other is a shape that tells what share of it is free.
 */
export class SeatMapPicture {
  readonly #context: CanvasRenderingContext2D;
  readonly #map: SeatMap;
  readonly #layout: VenueLayout;
  readonly #geometry: SeatGeometry;
  readonly #source: SeatMapSource;
  readonly #seats: SeatPainter;
  readonly #venue: VenuePainter;
  readonly #widths = new Map<string, number>();
  #labels: {
    readonly k: number;
    readonly level: DetailLevel;
    readonly list: readonly SectionLabel[];
  } | null = null;

  constructor(
    context: CanvasRenderingContext2D,
    { map, layout }: { map: SeatMap; layout: VenueLayout },
    geometry: SeatGeometry,
    source: SeatMapSource,
  ) {
    this.#context = context;
    this.#map = map;
    this.#layout = layout;
    this.#geometry = geometry;
    this.#source = source;
    this.#seats = new SeatPainter(context, map);
    this.#venue = new VenuePainter(context);
  }

  /** What labels say may have changed, or which sections are drawn seat by seat. */
  relabel(): void {
    this.#labels = null;
  }

  /** Texts are as wide as their face makes them, and another one has come. */
  remeasure(): void {
    this.#widths.clear();
    this.relabel();
  }

  /** Draws what lies in `area` (metres), which has to be clear, and clipped by who wants nothing beyond it. */
  paint(scene: Scene, area: Bounds): void {
    const { at, palette } = scene;
    for (const landmark of this.#layout.landmarks) this.#venue.landmark(landmark, at, palette);
    const reach = REACH_PX / at.k + this.#geometry.pitch;
    const shapes = this.#geometry.sections.filter(({ bounds }) => overlaps(widened(bounds, reach), area));
    const single = shapes.filter((shape) => this.#showsSeats(shape, scene.level));
    const whole = shapes.filter((shape) => !this.#showsSeats(shape, scene.level));
    for (const shape of whole) {
      this.#venue.section(shape, this.#source.summaryOf(shape.section.index), at, palette);
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
    const own = new Set([...scene.mine, ...scene.pending].map((seat) => this.#map.sectionOf[seat]));
    const withOwn = whole.filter(({ section }) => own.has(section.index));
    this.#paintSeats(scene, area, withOwn, true);
  }

  #showsSeats({ section }: SectionShape, level: DetailLevel): boolean {
    return level !== 'sections' && this.#source.statusesOf(section.index) !== undefined;
  }

  #paintSeats(
    { at, palette, mine, pending }: Scene,
    area: Bounds,
    shapes: readonly SectionShape[],
    onlyOwn: boolean,
  ) {
    const { statusesOf } = this.#source;
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
      const summary = this.#source.summaryOf(shape.section.index);
      const words = summary ? this.#source.wordsOf(summary) : null;
      return { shape, seatsShown: this.#showsSeats(shape, level), words, faint: summary?.free === 0 };
    });
    const obstacles = this.#layout.landmarks.map((landmark) => landmarkBox(landmark, k, measure));
    const list = placeLabels(wishes, k, obstacles, measure);
    this.#labels = { k, level, list };
    return list;
  }

  #rowLabels(shapes: readonly SectionShape[], { k, x, y }: Placement, palette: Palette): void {
    for (const { section, pitch } of shapes) {
      for (const row of section.rows) {
        const [first, second] = [row.start, row.start + Math.min(1, row.seatCount - 1)];
        const seatX = this.#map.x[first] ?? 0;
        const seatY = this.#map.y[first] ?? 0;
        const stepX = (this.#map.x[second] ?? 0) - seatX || pitch;
        const stepY = (this.#map.y[second] ?? 0) - seatY;
        this.#venue.rowLabel(row.label, (seatX - stepX) * k + x, (seatY - stepY) * k + y, pitch * k, palette);
      }
    }
  }
}

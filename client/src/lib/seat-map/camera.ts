import { pointer, select } from 'd3-selection';
import { zoom, type ZoomBehavior, zoomIdentity, zoomTransform, type ZoomTransform } from 'd3-zoom';
import { glide, interrupt } from './glide.ts';
import { type Bounds, middleOf } from './bounds.ts';
import type { Placement } from './seat-painter.ts';

const MOVE_MS = 280;
/** Two presses zoom by d3-zoom's own measures. */
const DOUBLE_MS = 250;
const DOUBLE_STEP = 2;
/** Room around the venue when all of it is shown. */
const MARGIN_PX = 20;
/** How far the venue may be moved out of sight, of what is seen when all of it is shown. */
const BEYOND = 0.35;

export interface CameraParts {
  readonly canvas: HTMLCanvasElement;
  readonly venue: Bounds;
  /** Pixels a metre has at most. */
  readonly closest: number;
  /** Whether a press twice, by a finger or not, is meant for the camera. */
  readonly zoomsOnDouble: (touch: boolean) => boolean;
  /** Whether nothing may move by itself. */
  readonly isStill: () => boolean;
  readonly moved: () => void;
}

/** Where the buyer looks: moved by hand, or gliding there by itself. */
export class Camera {
  readonly #parts: CameraParts;
  readonly #zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  #width = 0;
  #height = 0;

  constructor(parts: CameraParts) {
    this.#parts = parts;
    this.#zoom = zoom<HTMLCanvasElement, unknown>()
      // A wheel with Ctrl is a pinch.
      .filter((event: Event) => event.type === 'wheel' || !('button' in event) || event.button === 0)
      .clickDistance(6)
      // Before the first size is known there is no view to speak of.
      .on('zoom', () => this.#width > 0 && parts.moved());
    select(parts.canvas)
      .call(this.#zoom)
      .on('dblclick.zoom', (event: MouseEvent | TouchEvent) => this.#pressedTwice(event));
  }

  destroy(): void {
    interrupt(this.#parts.canvas);
    select(this.#parts.canvas).on('.zoom', null);
  }

  /** Pixels a metre has now. */
  get k(): number {
    return this.#transform.k;
  }

  /** What is seen, in metres. */
  get view(): Bounds {
    const { k, x, y } = this.#transform;
    return { left: -x / k, top: -y / k, right: (this.#width - x) / k, bottom: (this.#height - y) / k };
  }

  /** Where the venue lies, on whole pixels of the screen: what is painted can then be moved as it is. */
  get placement(): Placement {
    const { k, x, y } = this.#transform;
    const ratio = window.devicePixelRatio || 1;
    return { k, x: Math.round(x * ratio) / ratio, y: Math.round(y * ratio) / ratio };
  }

  /** The spot of the venue under a pointer. */
  spotOf({ offsetX, offsetY }: MouseEvent): [x: number, y: number] {
    return this.#transform.invert([offsetX, offsetY]);
  }

  /** Keeps the whole venue in sight if it was. */
  resize(width: number, height: number): void {
    const { canvas, venue, closest } = this.#parts;
    const before = this.kToFit(venue);
    const wasWhole = this.#width === 0 || Math.abs(this.k - before) < before * 0.02;
    this.#width = width;
    this.#height = height;
    const k = this.kToFit(venue);
    const [beyondX, beyondY] = [(width / k) * BEYOND, (height / k) * BEYOND];
    this.#zoom
      .extent([
        [0, 0],
        [width, height],
      ])
      .scaleExtent([k * 0.9, Math.max(k * 1.5, closest)])
      .translateExtent([
        [venue.left - beyondX, venue.top - beyondY],
        [venue.right + beyondX, venue.bottom + beyondY],
      ]);
    if (wasWhole) this.#zoom.transform(select(canvas), this.#around(middleOf(venue), k));
  }

  zoomBy(by: number): void {
    this.#scale(by, MOVE_MS);
  }

  showAll(): void {
    const { venue } = this.#parts;
    this.lookAt(middleOf(venue), this.kToFit(venue));
  }

  /** Pixels a metre has where an area fills this share of the canvas. */
  kToFit({ left, top, right, bottom }: Bounds, share = 1): number {
    const roomX = Math.max(1, this.#width - 2 * MARGIN_PX);
    const roomY = Math.max(1, this.#height - 2 * MARGIN_PX);
    return Math.min(roomX / (right - left), roomY / (bottom - top)) * share;
  }

  /** Glides to a spot the way d3-zoom itself does: along the shortest path, which leads far away over a height. */
  lookAt(spot: readonly [x: number, y: number], k: number): void {
    const size = Math.max(this.#width, this.#height);
    const goal = this.#around(spot, k);
    const viewOf = (view: ZoomTransform): [number, number, number] => [
      ...view.invert([this.#width / 2, this.#height / 2]),
      size / view.k,
    ];
    const viewAt = this.#zoom.interpolate()(viewOf(this.#transform), viewOf(goal));
    this.#glide(MOVE_MS, (progress) => {
      const [x, y, span] = viewAt(progress);
      this.#zoom.transform(
        select(this.#parts.canvas),
        progress < 1 ? this.#around([x, y], size / span) : goal,
      );
    });
  }

  get #transform(): ZoomTransform {
    return zoomTransform(this.#parts.canvas);
  }

  #around([x, y]: readonly [x: number, y: number], k: number): ZoomTransform {
    return zoomIdentity.translate(this.#width / 2 - x * k, this.#height / 2 - y * k).scale(k);
  }

  #glide(durationMs: number, show: (progress: number) => void): void {
    glide(this.#parts.canvas, this.#parts.isStill() ? 0 : durationMs, show);
  }

  /** Zooms around a point of the canvas; its middle where none is given. */
  #scale(by: number, durationMs: number, point?: [x: number, y: number]): void {
    const { k } = this.#transform;
    this.#glide(durationMs, (progress) => {
      this.#zoom.scaleTo(select(this.#parts.canvas), k * by ** progress, point);
    });
  }

  #pressedTwice(event: MouseEvent | TouchEvent): void {
    const touch = 'changedTouches' in event;
    if (!this.#parts.zoomsOnDouble(touch)) return;
    event.preventDefault();
    const at = pointer(touch ? event.changedTouches[0] : event, this.#parts.canvas);
    this.#scale(event.shiftKey ? 1 / DOUBLE_STEP : DOUBLE_STEP, DOUBLE_MS, at);
  }
}

import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { type Bounds, type SeatGeometry, widened } from './seat-geometry.ts';
import type { Scene, SeatMapPicture } from './seat-map-picture.ts';
import { OWN_SIZE_MIN, type Placement } from './seat-painter.ts';

/**
 * Keeps the picture of the map and paints of it only what changed: seats that did, or the edges that come into view
 * when it is moved. All of it is painted anew when it is zoomed.
 */
export class StillLayer {
  readonly #context: CanvasRenderingContext2D;
  readonly #picture: SeatMapPicture;
  readonly #map: SeatMap;
  readonly #geometry: SeatGeometry;
  readonly #stale = new Set<number>();
  #allStale = true;
  #width = 0;
  #height = 0;
  #ratio = 1;
  #shown: Placement | null = null;

  constructor(
    context: CanvasRenderingContext2D,
    picture: SeatMapPicture,
    map: SeatMap,
    geometry: SeatGeometry,
  ) {
    this.#context = context;
    this.#picture = picture;
    this.#map = map;
    this.#geometry = geometry;
  }

  /** In CSS pixels, of which each has `ratio` pixels of the screen in a row. */
  resize(width: number, height: number, ratio: number): void {
    [this.#width, this.#height, this.#ratio] = [width, height, ratio];
    this.touchAll();
  }

  touch(seat: number): void {
    this.#stale.add(seat);
  }

  touchAll(): void {
    this.#allStale = true;
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
    const areas = new Map<number, Bounds>();
    for (const seat of this.#stale) {
      const [seatX, seatY] = [(this.#map.x[seat] ?? 0) * k + x, (this.#map.y[seat] ?? 0) * k + y];
      const own = widened({ left: seatX, top: seatY, right: seatX, bottom: seatY }, reach);
      const section = this.#map.sectionOf[seat] ?? 0;
      const before = areas.get(section);
      areas.set(section, before ? union(before, own) : own);
    }
    return [...areas.values()];
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
    this.#picture.paint(scene, {
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
}

function union(a: Bounds, b: Bounds): Bounds {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

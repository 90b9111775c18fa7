import { describe, expect, it } from 'vitest';
import { map } from '../../../test/small-venue.ts';
import { type FlashKind, FlashLayer } from './flash-layer.ts';
import type { Palette } from './palette.ts';

const AT = { k: 20, x: 0, y: 0 };
const SEAT = 5;
const colours = { taken: 'red', freed: 'green', mine: 'black', ink: 'blue' };
// The layer reads these colours only.
const palette = colours as unknown as Palette;

/** Stands in for a canvas, and keeps what is drawn on it. */
class Canvas {
  readonly rings: { readonly x: number; readonly radius: number; readonly colour: string }[] = [];
  readonly wiped: { readonly left: number; readonly right: number }[] = [];
  strokeStyle = '';
  lineWidth = 0;
  globalAlpha = 1;

  arc(x: number, _y: number, radius: number): void {
    this.rings.push({ x, radius: radius + this.lineWidth / 2, colour: this.strokeStyle });
  }
  clearRect(left: number, _top: number, width: number): void {
    this.wiped.push({ left, right: left + width });
  }
  beginPath(): void {}
  stroke(): void {}
}

/** The rings of one flash at so many moments of its life, in milliseconds. */
function ringsOf(kind: FlashKind, moments: readonly number[]) {
  const canvas = new Canvas();
  const layer = new FlashLayer(canvas as unknown as CanvasRenderingContext2D, map, 1);
  layer.add(SEAT, kind, 0);
  const glowing = moments.map((now) => layer.draw(AT, now, palette));
  return { rings: canvas.rings, wiped: canvas.wiped, glowing };
}

describe('flashes', () => {
  it('of a seat that was taken close in, those of a seat that came back or became yours open', () => {
    const radii = (kind: FlashKind) => ringsOf(kind, [100, 400, 700]).rings.map(({ radius }) => radius);
    const taken = radii('taken');
    expect(taken).toEqual(taken.toSorted((a, b) => b - a));
    for (const kind of ['freed', 'yours'] as const) {
      expect(radii(kind)).toEqual(radii(kind).toSorted((a, b) => a - b));
    }
    const seen = (['taken', 'freed', 'yours'] as const).map((kind) => ringsOf(kind, [100]).rings[0]?.colour);
    expect(seen).toEqual(['red', 'green', 'black']);
  });

  it('end, and what was drawn is wiped, and nothing else', () => {
    for (const kind of ['taken', 'freed', 'yours'] as const) {
      const { rings, wiped, glowing } = ringsOf(kind, [0, 450, 899, 900, 1_000]);
      expect(glowing).toEqual([true, true, true, false, false]);
      expect(rings).toHaveLength(3);
      expect(wiped).toHaveLength(3);
      rings.forEach(({ x, radius }, index) => {
        expect(wiped[index]?.left).toBeLessThanOrEqual(x - radius);
        expect(wiped[index]?.right).toBeGreaterThanOrEqual(x + radius);
        expect((wiped[index]?.right ?? 0) - (wiped[index]?.left ?? 0)).toBeLessThan(3 * AT.k);
      });
    }
  });

  it('of more seats than anybody can follow are not shown', () => {
    const canvas = new Canvas();
    const layer = new FlashLayer(canvas as unknown as CanvasRenderingContext2D, map, 1);
    for (let seat = 0; seat < 1_000; seat++) layer.add(seat, 'taken', 0);
    layer.draw(AT, 100, palette);
    expect(canvas.rings).toHaveLength(200);
  });
});

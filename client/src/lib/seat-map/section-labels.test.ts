import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bounds, overlaps } from './bounds.ts';
import { seatGeometryOf } from './seat-geometry.ts';
import { LABEL_SIZE_MIN, type LabelWish, placeLabels, shortName } from './section-labels.ts';

/** About as wide as the letters of a narrow face. */
const measure = (text: string, size: number): number => text.length * size * 0.55;

/** Blocks of four rows around a pitch, as in a stadium. */
function ring(blocks: number, seats: number): VenueLayout {
  const centre = 100;
  const radius = Math.max(20, (blocks * seats * 0.55) / (2 * Math.PI));
  const at = (angle: number, far: number) =>
    [centre + Math.cos(angle) * far, centre + Math.sin(angle) * far] as const;
  const sections = Array.from({ length: blocks }, (_, block) => {
    const [from, to] = [block, block + 0.9].map((edge) => (edge / blocks) * 2 * Math.PI) as [number, number];
    const arc = (far: number) => ({ from: at(from, far), to: at(to, far), bend: 0 });
    const rows = { priceLevel: 0, rows: 4, firstRow: 'A', seats: [seats, seats] as const };
    const block0 = { ...rows, front: arc(radius), back: arc(radius + 3) };
    return { name: `Block ${101 + block}`, tier: 'Ring', blocks: [block0] };
  });
  const venue = { id: 'ring', name: 'Ring', city: 'Nowhere', width: 200, height: 200 };
  return { ...venue, landmarks: [], priceLevels: ['One'], sections };
}

function wishesOf(layout: VenueLayout, seatsShown: (section: number) => boolean): readonly LabelWish[] {
  return seatGeometryOf(seatMapOf(layout), layout).sections.map((shape) => ({
    shape,
    seatsShown: seatsShown(shape.section.index),
    words: { free: '48 free', from: 'from £45' },
    faint: false,
  }));
}

const venue = fc.record({ blocks: fc.integer({ min: 3, max: 60 }), seats: fc.integer({ min: 2, max: 30 }) });
const zoom = fc.double({ min: 0.3, max: 40, noNaN: true });
const shown = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
const pitch: Bounds = { left: 90, top: 95, right: 110, bottom: 105 };

describe('labels of sections', () => {
  it('never stand on one another nor on what stood there before, and can be read', () => {
    fc.assert(
      fc.property(venue, zoom, shown, ({ blocks, seats }, k, isShown) => {
        const wishes = wishesOf(ring(blocks, seats), (section) => isShown[section] ?? false);
        const labels = placeLabels(wishes, k, [pitch], measure);
        const boxes = [pitch, ...labels.map(({ box }) => box)];
        boxes.forEach((box, index) => {
          expect(boxes.slice(index + 1).some((other) => overlaps(box, other))).toBe(false);
        });
        for (const { lines } of labels) {
          for (const { size } of lines) expect(size).toBeGreaterThanOrEqual(LABEL_SIZE_MIN);
        }
      }),
    );
  });

  it('leave a section unnamed only where its short name would stand on another', () => {
    fc.assert(
      fc.property(venue, zoom, ({ blocks, seats }, k) => {
        const wishes = wishesOf(ring(blocks, seats), () => false);
        const labels = placeLabels(wishes, k, [], measure);
        const named = new Set(labels.map(({ section }) => section));
        expect(named.size).toBeGreaterThan(0);
        for (const { shape } of wishes) {
          if (named.has(shape.section.index)) continue;
          const half = measure(shortName(shape.section.name), LABEL_SIZE_MIN) / 2 + 2;
          const [x, y] = [shape.centre[0] * k, shape.centre[1] * k];
          const tall = LABEL_SIZE_MIN / 2 + 2;
          const own = { left: x - half, right: x + half, top: y - tall, bottom: y + tall };
          expect(labels.some(({ box }) => overlaps(box, own))).toBe(true);
        }
      }),
    );
  });

  it('name the overview of a stadium on a phone, and tell more the closer one looks', () => {
    const wishes = wishesOf(ring(40, 20), () => false);
    const overview = placeLabels(wishes, 1.8, [], measure);
    expect(overview.length).toBeGreaterThan(10);
    expect(overview.every(({ lines }) => /^\d+$/.test(lines[0]?.text ?? ''))).toBe(true);
    const close = placeLabels(wishes, 30, [], measure);
    expect(close).toHaveLength(40);
    expect(close.some(({ lines }) => lines.length === 3)).toBe(true);
  });
});

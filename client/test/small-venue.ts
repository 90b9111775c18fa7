import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { seatGeometryOf } from '#lib/seat-map/seat-geometry.ts';

/** Two sections side by side, four rows of ten seats each, one metre apart; the back rows are cheaper. */
const layout: VenueLayout = {
  id: 'test',
  name: 'Test hall',
  city: 'Nowhere',
  width: 30,
  height: 10,
  landmarks: [],
  priceLevels: ['Front', 'Back'],
  sections: [0, 15].map((left, index) => ({
    name: `Block ${index + 1}`,
    tier: 'Floor',
    blocks: [0, 1].map((part) => ({
      priceLevel: part,
      rows: 2,
      firstRow: part === 0 ? 'A' : 'C',
      seats: [10, 10] as const,
      front: { from: [left, part * 2] as const, to: [left + 9, part * 2] as const, bend: 0 },
      back: { from: [left, part * 2 + 1] as const, to: [left + 9, part * 2 + 1] as const, bend: 0 },
    })),
  })),
};

export const map = seatMapOf(layout);
export const geometry = seatGeometryOf(map, layout);

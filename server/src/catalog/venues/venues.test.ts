import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type SeatMap, seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { RowArc, VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { loadVenueLayout } from '../venue-layout-file.ts';

/** Metres between the centres of two seats. */
const SEAT_DISTANCE_MIN = 0.42;
/** Centres across a gangway of a metre, or across the wall between two boxes. */
const SECTION_DISTANCE_MIN = 1.3;
const SEAT_RADIUS = 0.25;
const SEATS_PER_SECTION_MAX = 700;
const ROW_PITCH_MIN = 0.8;
const ROW_PITCH_MAX = 1.1;

const SEAT_COUNTS = {
  'gaivotas-hall': 500,
  'lindenhof-theatre': 1_200,
  'haneul-arena': 18_000,
  'loomfield-stadium': 50_000,
};

/** Calls `visit` for every two seats less than `reach` metres apart, by a grid whose cells have that side. */
function visitNeighbours(
  map: SeatMap,
  reach: number,
  visit: (a: number, b: number, distance: number) => void,
): void {
  const columns = 10_000;
  const cells = new Map<number, number[]>();
  for (let seat = 0; seat < map.seatCount; seat++) {
    const x = map.x[seat]!;
    const y = map.y[seat]!;
    const home = Math.floor(x / reach) + Math.floor(y / reach) * columns;
    for (const offset of [-columns - 1, -columns, 1 - columns, -1, 0, 1, columns - 1, columns, columns + 1]) {
      for (const other of cells.get(home + offset) ?? []) {
        const distance = Math.hypot(x - map.x[other]!, y - map.y[other]!);
        if (distance < reach) visit(seat, other, distance);
      }
    }
    const cell = cells.get(home);
    if (cell) cell.push(seat);
    else cells.set(home, [seat]);
  }
}

function middleOf({ from, to, bend }: RowArc): [x: number, y: number] {
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  const length = Math.hypot(dx, dy);
  return [(from[0] + to[0]) / 2 - (dy / length) * bend, (from[1] + to[1]) / 2 + (dx / length) * bend];
}

const rowPitches = (layout: VenueLayout) =>
  layout.sections
    .flatMap((section) => section.blocks)
    .filter((block) => block.rows > 1)
    .map(({ front, back, rows }) => {
      const [frontMiddle, backMiddle] = [middleOf(front), middleOf(back)];
      return Math.hypot(backMiddle[0] - frontMiddle[0], backMiddle[1] - frontMiddle[1]) / (rows - 1);
    });

it('tests every layout in this folder', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.json'));
  expect(files.toSorted()).toEqual(
    Object.keys(SEAT_COUNTS)
      .map((id) => `${id}.json`)
      .toSorted(),
  );
});

describe.each(Object.entries(SEAT_COUNTS))('%s', async (id, seatCount) => {
  const layout = await loadVenueLayout(new URL(`${id}.json`, import.meta.url));
  const map = seatMapOf(layout);

  it(`is named for its file and has exactly ${seatCount} seats`, () => {
    expect(layout.id).toBe(id);
    expect(map.seatCount).toBe(seatCount);
  });

  it('has at least two sections, each of a size one snapshot carries quickly', () => {
    expect(map.sections.length).toBeGreaterThanOrEqual(2);
    for (const section of map.sections) {
      expect(section.seatCount, section.name).toBeGreaterThan(0);
      expect(section.seatCount, section.name).toBeLessThanOrEqual(SEATS_PER_SECTION_MAX);
    }
    expect(new Set(map.sections.map((section) => section.name)).size).toBe(map.sections.length);
  });

  it('sells every price level', () => {
    expect(layout.priceLevels.length).toBeGreaterThanOrEqual(4);
    expect([...new Set(map.priceLevel)].toSorted()).toEqual(layout.priceLevels.map((_, level) => level));
  });

  it('keeps whole seats inside its walls', () => {
    expect(
      map.x.reduce(
        (a, b) => Math.min(a, b),
        map.y.reduce((a, b) => Math.min(a, b)),
      ),
    ).toBeGreaterThanOrEqual(SEAT_RADIUS);
    expect(map.x.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(layout.width - SEAT_RADIUS);
    expect(map.y.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(layout.height - SEAT_RADIUS);
  });

  it('leaves room between seats, and a gangway or a wall between sections', () => {
    const tooNear: string[] = [];
    visitNeighbours(map, SECTION_DISTANCE_MIN, (a, b, distance) => {
      const sameSection = map.sectionOf[a] === map.sectionOf[b];
      if (!sameSection || distance < SEAT_DISTANCE_MIN)
        tooNear.push(`${a} and ${b}: ${distance.toFixed(2)} m`);
    });
    expect(tooNear).toEqual([]);
  });

  it('has rows as far apart as knees need', () => {
    for (const pitch of rowPitches(layout)) {
      expect(pitch).toBeGreaterThanOrEqual(ROW_PITCH_MIN);
      expect(pitch).toBeLessThanOrEqual(ROW_PITCH_MAX);
    }
  });

  it('numbers seats from the left of a buyer who faces the stage, with the rows behind at their back', () => {
    for (const { name, blocks } of layout.sections) {
      for (const { front, back, rows } of blocks) {
        if (rows === 1) continue;
        const [frontMiddle, backMiddle] = [middleOf(front), middleOf(back)];
        const right = [front.to[0] - front.from[0], front.to[1] - front.from[1]] as const;
        const behind = [backMiddle[0] - frontMiddle[0], backMiddle[1] - frontMiddle[1]] as const;
        expect(right[0] * behind[1] - right[1] * behind[0], name).toBeGreaterThan(0);
      }
    }
  });
});

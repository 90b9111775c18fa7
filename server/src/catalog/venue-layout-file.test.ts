import { describe, expect, it } from 'vitest';
import { SECTIONS_PER_SHOW_MAX } from '@stampede/shared/protocol/limits.ts';
import { loadVenueLayout, parseVenueLayout, VenueLayoutError } from './venue-layout-file.ts';

const block = {
  priceLevel: 0,
  rows: 2,
  firstRow: 'A',
  seats: [4, 4],
  front: { from: [2, 4], to: [4, 4], bend: 0 },
  back: { from: [2, 5], to: [4, 5], bend: 0 },
};
const stalls = { name: 'Stalls', tier: 'Stalls', blocks: [block] };
const balcony = {
  ...stalls,
  name: 'Balcony',
  blocks: [
    { ...block, front: { from: [2, 7], to: [4, 7], bend: 0 }, back: { from: [2, 8], to: [4, 8], bend: 0 } },
  ],
};
const playhouse = {
  id: 'playhouse',
  name: 'Playhouse',
  city: 'Graz',
  width: 6,
  height: 10,
  landmarks: [
    {
      kind: 'stage',
      label: 'Stage',
      outline: [
        [1, 1],
        [5, 1],
        [5, 3],
        [1, 3],
      ],
    },
  ],
  priceLevels: ['Front', 'Back'],
  sections: [stalls, balcony],
};

const parse = (value: unknown) => parseVenueLayout(JSON.stringify(value), 'playhouse.json');
const withBlock = (change: object) => ({
  ...playhouse,
  sections: [{ ...stalls, blocks: [{ ...block, ...change }] }, balcony],
});

describe('parseVenueLayout', () => {
  it('reads a layout as it was written', () => {
    expect(parse(playhouse)).toEqual(playhouse);
  });

  it('reads the time zone, and does without one in a layout kept from before there were any', () => {
    expect(parse({ ...playhouse, timeZone: 'Europe/Vienna' }).timeZone).toBe('Europe/Vienna');
    expect(parse(playhouse).timeZone).toBeUndefined();
  });

  it('lets two blocks share a row when their seat numbers differ', () => {
    const left = {
      ...block,
      front: { from: [0.5, 4], to: [2, 4], bend: 0 },
      back: { from: [0.5, 5], to: [2, 5], bend: 0 },
    };
    const split = { ...stalls, blocks: [left, { ...block, firstSeat: 5 }] };
    expect(parse({ ...playhouse, sections: [split, balcony] }).sections[0]?.blocks[1]?.firstSeat).toBe(5);
  });

  it.each<[string, unknown, string]>([
    ['a missing field', { ...playhouse, city: undefined }, 'playhouse.json: city: '],
    [
      'a misspelt field',
      withBlock({ firstRaw: 'A' }),
      'playhouse.json: sections[0].blocks[0]: Unrecognized key: "firstRaw"',
    ],
    [
      'a time zone that nobody keeps',
      { ...playhouse, timeZone: 'Europe/Graz' },
      'playhouse.json: timeZone: must',
    ],
    ['an offset for a time zone', { ...playhouse, timeZone: '+01:00' }, 'playhouse.json: timeZone: must'],
    ['an id that is no slug', { ...playhouse, id: '../x' }, 'playhouse.json: id: must be lower-case words'],
    [
      'two sections of one name',
      { ...playhouse, sections: [stalls, stalls] },
      'sections[1].name: "Stalls" is already the name of sections[0]',
    ],
    ['no sections', { ...playhouse, sections: [] }, 'playhouse.json: sections: '],
    [
      'an unknown price level',
      withBlock({ priceLevel: 2 }),
      'sections[0].blocks[0].priceLevel: is 2, but priceLevels has only 2',
    ],
    ['a row label that is neither', withBlock({ firstRow: 'a1' }), 'sections[0].blocks[0].firstRow: must be'],
    ['a block without rows', withBlock({ rows: 0 }), 'sections[0].blocks[0].rows: '],
    ['half a seat', withBlock({ seats: [4.5, 4] }), 'sections[0].blocks[0].seats[0]: '],
    [
      'a seat outside the venue',
      withBlock({ back: { from: [2, 11], to: [4, 11], bend: 0 } }),
      'sections[0]: row B seat 1 lies at 2.00, 11.00, outside 6 × 10',
    ],
    [
      'a seat named twice',
      { ...playhouse, sections: [{ ...stalls, blocks: [block, block] }] },
      'sections[0].blocks: has row A seat 1 twice',
    ],
  ])('refuses %s and says where', (_, value, message) => {
    expect(() => parse(value)).toThrow(VenueLayoutError);
    expect(() => parse(value)).toThrow(message);
  });

  it('[P7] refuses more seats than a show may have, without placing them', () => {
    const vast = { ...block, rows: 200, seats: [500, 500] };
    const sections = ['One', 'Two', 'Three'].map((name) => ({ name, tier: 'Vast', blocks: [vast] }));
    expect(() => parse({ ...playhouse, sections })).toThrow(
      'sections: has some 300000 seats, more than 200000',
    );
  });

  it('[P7] refuses more sections than a show may have', () => {
    const sections = Array.from({ length: SECTIONS_PER_SHOW_MAX + 1 }, (_, index) => ({
      ...stalls,
      name: `Block ${index}`,
    }));
    expect(() => parse({ ...playhouse, sections })).toThrow('playhouse.json: sections: ');
  });

  it('tells the first five faults and how many follow', () => {
    const sections = Array.from({ length: 8 }, () => ({ ...stalls, name: '' }));
    expect(() => parse({ ...playhouse, sections })).toThrow(
      /(playhouse\.json: sections.+\n){5}playhouse\.json: … and 3 more$/,
    );
  });

  it('names the file that is not JSON', () => {
    expect(() => parseVenueLayout('{', 'torn.json')).toThrow('torn.json: not JSON: ');
  });
});

describe('loadVenueLayout', () => {
  it('names the file that is not there', async () => {
    await expect(loadVenueLayout('/nowhere/lost.json')).rejects.toThrow("lost.json: can't be read: ");
  });
});

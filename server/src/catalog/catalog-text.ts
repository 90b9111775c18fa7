import { createHash } from 'node:crypto';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { z } from 'zod';
import { showId } from '../platform/ids.ts';
import type { CatalogEntry } from './catalog-cache.ts';
import { saleTerms } from './sale-terms.ts';
import type { Show } from './show.ts';
import { parseVenueLayout } from './venue-layout-file.ts';

const count = z.int().min(0);

/** The whole catalogue as text. Shows name their layout by its place among `layouts`, because many share one. */
const catalogText = z.object({
  layouts: z.array(z.string()),
  shows: z.array(
    z.object({
      id: z.int().min(1),
      title: z.string(),
      subtitle: z.string(),
      description: z.string(),
      startsAt: count,
      currency: z.string(),
      prices: z.array(count),
      sale: saleTerms,
      drawSeed: z.string(),
      paused: z.boolean(),
      layout: count,
    }),
  ),
});

/** What shows of one venue share. */
type House = Pick<Show, 'layout' | 'seatMap'>;

/**
 * Writes the catalogue as text and reads it again. Checking a stadium's layout and placing its seats takes tens of
 * milliseconds, so the houses of the last catalogue are kept and an edited show costs none of that.
 */
export class CatalogText {
  /** By the layout's text. */
  #houses = new Map<string, House>();

  write(shows: readonly Show[]): CatalogEntry {
    const placeOf = new Map<Show['layout'], number>();
    const houses = new Map<string, House>();
    const layouts: string[] = [];
    const records = shows.map(({ layout, seatMap, ...record }) => {
      let place = placeOf.get(layout);
      if (place === undefined) {
        const text = JSON.stringify(layout);
        place = layouts.push(text) - 1;
        placeOf.set(layout, place);
        houses.set(text, { layout, seatMap });
      }
      return { ...record, layout: place };
    });
    this.#houses = houses;
    const text = JSON.stringify({ layouts, shows: records });
    return { text, hash: createHash('sha256').update(text).digest('base64url') };
  }

  /** @throws if no version of ours wrote the text */
  read(text: string): readonly Show[] {
    const { layouts, shows } = catalogText.parse(JSON.parse(text));
    const houses = new Map(layouts.map((layout) => [layout, this.#houses.get(layout) ?? houseOf(layout)]));
    this.#houses = houses;
    return shows.map(({ id, layout: place, ...record }) => {
      const house = houses.get(layouts[place] ?? '');
      if (!house) throw new Error(`show ${id} of the shared catalogue has no layout`);
      return { ...record, ...house, id: showId(id) };
    });
  }
}

function houseOf(text: string): House {
  const layout = parseVenueLayout(text, 'a venue layout of the shared catalogue');
  return { layout, seatMap: seatMapOf(layout) };
}

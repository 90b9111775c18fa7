import { createHash } from 'node:crypto';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { UniqueConstraintViolationException } from '@mikro-orm/sql';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { type ShowId, showId } from '../platform/ids.ts';
import type { CatalogStore } from './catalog-store.ts';
import { type ShowRow, showTable, venueLayoutTable } from './catalog-tables.ts';
import { saleTerms } from './sale-terms.ts';
import type { Show, ShowDraft } from './show.ts';
import { parseVenueLayout } from './venue-layout-file.ts';

const count = z.int().min(0);
const jsonText = z.string().transform((text): unknown => JSON.parse(text));
const pricesColumn = jsonText.pipe(z.array(count));
const termsColumn = jsonText.pipe(saleTerms);

/** Shows and venue layouts in the SQL database, whichever dialect. */
export class SqlCatalogStore implements CatalogStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async shows(): Promise<readonly Show[]> {
    const entities = this.#database.entities();
    const shows = await entities.find(showTable, {}, { orderBy: { id: 'asc' } });
    const layouts = await entities.find(venueLayoutTable, {
      id: { $in: [...new Set(shows.map((show) => show.venueLayoutId))] },
    });
    // Placing the seats of a stadium takes a while, so shows in the same house share one seat map.
    const houses = new Map(
      layouts.map((row) => {
        const layout = parseVenueLayout(row.layout, `venue layout ${row.id}`);
        return [row.id, { layout, seatMap: seatMapOf(layout) }] as const;
      }),
    );
    return shows.map((row) => {
      const house = houses.get(row.venueLayoutId);
      if (!house) throw new Error(`show ${String(row.id)} has no venue layout ${row.venueLayoutId}`);
      return showOf(row, house);
    });
  }

  async refresh(): Promise<void> {
    return Promise.resolve();
  }

  /** Another text after every edit of a show, however it was made. Reads no layouts: they never change. */
  async edition(): Promise<string> {
    const shows = await this.#database.entities().find(showTable, {}, { orderBy: { id: 'asc' } });
    return createHash('sha256').update(JSON.stringify(shows)).digest('base64url');
  }

  async addLayouts(layouts: readonly VenueLayout[]): Promise<void> {
    if (layouts.length === 0) return;
    await this.#database.transaction(async (entities) => {
      const ids = layouts.map((layout) => layout.id);
      const known = await entities.find(venueLayoutTable, { id: { $in: ids } }, { fields: ['id'] });
      const knownIds = new Set(known.map((row) => row.id));
      const rows = layouts
        .filter((layout) => !knownIds.has(layout.id))
        .map((layout) => ({ id: layout.id, layout: JSON.stringify(layout) }));
      await entities.insertMany(venueLayoutTable, rows);
    });
  }

  async addShow(draft: ShowDraft, drawSeed: string): Promise<ShowId> {
    return showId(await this.#database.entities().insert(showTable, rowOf(draft, drawSeed)));
  }

  async fillIfEmpty(
    layouts: readonly VenueLayout[],
    shows: readonly { readonly draft: ShowDraft; readonly drawSeed: string }[],
  ): Promise<number> {
    try {
      await this.addLayouts(layouts);
      return await this.#database.transaction(async (entities) => {
        if ((await entities.count(showTable)) > 0) return 0;
        // Numbered here rather than by the database: of two nodes that both saw an empty table, the second clashes.
        const rows = shows.map(({ draft, drawSeed }, index) => ({
          id: index + 1,
          ...rowOf(draft, drawSeed),
        }));
        await entities.insertMany(showTable, rows);
        return rows.length;
      });
    } catch (cause) {
      if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
      // Another node was a moment faster, perhaps with the layouts only so far.
      const isFilled = (await this.#database.entities().count(showTable)) > 0;
      return isFilled ? 0 : this.fillIfEmpty(layouts, shows);
    }
  }
}

function rowOf(draft: ShowDraft, drawSeed: string) {
  requireText(draft);
  return {
    title: draft.title,
    subtitle: draft.subtitle,
    description: draft.description,
    venueLayoutId: draft.venue,
    startsAt: draft.startsAt,
    currency: draft.currency,
    prices: JSON.stringify(draft.prices),
    terms: JSON.stringify(draft.sale),
    drawSeed,
    paused: false,
  };
}

/** Half a character has no bytes of its own: databases would each keep something else in its place. */
function requireText({ title, subtitle, description }: ShowDraft): void {
  for (const [name, text] of Object.entries({ title, subtitle, description })) {
    if (!text.isWellFormed()) throw new Error(`the ${name} of a show is no well-formed Unicode text`);
  }
}

function showOf(row: ShowRow, house: Pick<Show, 'layout' | 'seatMap'>): Show {
  return {
    id: showId(row.id),
    title: row.title,
    subtitle: row.subtitle,
    description: row.description,
    startsAt: row.startsAt,
    currency: row.currency,
    prices: pricesColumn.parse(row.prices),
    sale: termsColumn.parse(row.terms),
    layout: house.layout,
    seatMap: house.seatMap,
    drawSeed: row.drawSeed,
    paused: row.paused,
  };
}

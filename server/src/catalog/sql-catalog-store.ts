import { type SqlEntityManager, UniqueConstraintViolationException } from '@mikro-orm/sql';
import { seatsOf, type VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { type ShowId, showId } from '../platform/ids.ts';
import {
  catalogVersionTable,
  formerShowTable,
  type ShowRow,
  showTable,
  venueLayoutTable,
} from './catalog-tables.ts';
import {
  catalogContents,
  type CatalogContents,
  saleTerms,
  type ShowChange,
  type ShowDraft,
  showDraft,
  type Venue,
} from './show.ts';
import { parseVenueLayout } from './venue-layout-file.ts';

/** Layouts read at once where their venues are not known yet: each is some ten kilobytes. */
const LAYOUTS_AT_ONCE = 50;
/** So long after a sale ended, no payment of it is on its way. */
const SETTLED_AFTER_MS = 60 * 60 * 1_000;

const jsonText = z.string().transform((text): unknown => JSON.parse(text));
const termsColumn = jsonText.pipe(saleTerms);

/** What lists need of a layout, which was checked in full when it was added. */
const layoutColumn = jsonText.pipe(
  z.object({
    name: z.string(),
    city: z.string(),
    timeZone: z.string().default('UTC'),
    priceLevels: z.array(z.string()),
    sections: z.array(
      z.object({ blocks: z.array(z.object({ rows: z.int(), seats: z.tuple([z.int(), z.int()]) })) }),
    ),
  }),
);

/**
 * Why an edit did not happen: somebody else edited the show first; a price level would have no price; its tickets need
 * it; money may be on its way.
 */
type EditRefusal =
  'unknown' | 'edited-meanwhile' | 'cancelled' | 'other-price-levels' | 'has-tickets' | 'not-over';
export type EditResult =
  { readonly ok: true; readonly version: number } | { readonly ok: false; readonly why: EditRefusal };

/** A show as it was before an edit, as JSON. */
export interface FormerShow {
  readonly version: number;
  readonly text: string;
}

/**
 * Shows and venue layouts in the SQL database, whichever dialect. Every edit of a show changes the catalogue's version
 * in the same step.
 */
export class SqlCatalogStore {
  readonly #database: Database;
  /** By id; layouts never change. */
  readonly #venues = new Map<string, Venue>();

  constructor(database: Database) {
    this.#database = database;
  }

  async version(): Promise<number> {
    return versionIn(this.#database.entities());
  }

  contents(): Promise<CatalogContents> {
    return this.#database.transaction(
      async (entities) => {
        const version = await versionIn(entities);
        const rows = await entities.find(showTable, {}, { orderBy: { id: 'asc' } });
        await this.#learnVenues(entities, new Set(rows.map((row) => row.venueLayoutId)));
        const shows = rows.map(({ prices, terms, venueLayoutId, ...row }) => ({
          ...row,
          prices: JSON.parse(prices) as unknown,
          sale: JSON.parse(terms) as unknown,
          venue: this.#venues.get(venueLayoutId),
        }));
        return catalogContents.parse({ version, shows });
      },
      { reads: 'snapshot' },
    );
  }

  async layout(venue: string): Promise<VenueLayout> {
    const row = await this.#database.entities().findOneOrFail(venueLayoutTable, { id: venue });
    return parseVenueLayout(row.layout, `venue layout ${venue}`);
  }

  /** Saves layouts that are not there yet; a known id keeps its first layout, because tickets refer to it. */
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

  /** Saves a show of a known layout with its draw seed and returns its id. */
  addShow(draft: ShowDraft, drawSeed: string): Promise<ShowId> {
    return this.#database.transaction(async (entities) => {
      const id = await entities.insert(showTable, rowOf(draft, drawSeed));
      await raiseVersion(entities);
      return showId(id);
    });
  }

  /**
   * Saves layouts and shows in one step, if there was never a show, and returns how many shows were saved. Of several
   * nodes that start at once, one does.
   */
  async fillIfEmpty(
    layouts: readonly VenueLayout[],
    shows: readonly { readonly draft: ShowDraft; readonly drawSeed: string }[],
  ): Promise<number> {
    try {
      await this.addLayouts(layouts);
      return await this.#database.transaction(async (entities) => {
        if (await hasShows(entities)) return 0;
        // Numbered here rather than by the database: of two nodes that both saw an empty table, the second clashes.
        const rows = shows.map(({ draft, drawSeed }, index) => ({
          id: index + 1,
          ...rowOf(draft, drawSeed),
        }));
        await entities.insertMany(showTable, rows);
        await raiseVersion(entities);
        return rows.length;
      });
    } catch (cause) {
      if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
      // Another node was a moment faster, perhaps with the layouts only so far.
      return (await hasShows(this.#database.entities())) ? 0 : this.fillIfEmpty(layouts, shows);
    }
  }

  /** Edits the show if `version` is still its own. */
  edit(show: ShowId, version: number, change: ShowChange): Promise<EditResult> {
    return this.#change(show, version, async (entities, row) => {
      if (row.cancelled) return 'cancelled';
      if (change.prices) {
        await this.#learnVenues(entities, new Set([row.venueLayoutId]));
        const levels = this.#venues.get(row.venueLayoutId)?.priceLevels.length;
        // Seats of a level without a price would be given away.
        if (change.prices.length !== levels) return 'other-price-levels';
      }
      await entities.nativeUpdate(showTable, { id: show }, editedRow(row, change));
      return null;
    });
  }

  /** Ends the sale of a show for good. `now`: milliseconds since the Unix epoch. */
  cancel(show: ShowId, version: number, now: number): Promise<EditResult> {
    return this.#change(show, version, async (entities, row) => {
      const closesAt = Math.min(termsColumn.parse(row.terms).closesAt, now);
      const closed = editedRow(row, { paused: true, sale: { closesAt } });
      await entities.nativeUpdate(showTable, { id: show }, { ...closed, cancelled: true });
      return null;
    });
  }

  /** Removes a show without tickets which is not on sale: before its lobby, or so long after that no payment is on its way. */
  delete(show: ShowId, version: number, now: number): Promise<EditResult> {
    return this.#change(show, version, async (entities, row) => {
      const { lobbyAt, opensAt, closesAt } = termsColumn.parse(row.terms);
      if (now >= Math.min(lobbyAt, opensAt) && now < closesAt + SETTLED_AFTER_MS) return 'not-over';
      const tickets = await entities.execute('select 1 from sold_seats where show_id = ? limit 1', [show]);
      if (tickets.length > 0) return 'has-tickets';
      await entities.nativeDelete(showTable, { id: show });
      return null;
    });
  }

  /** What the show was before each of its edits, the oldest first; also of a deleted one. */
  history(show: ShowId): Promise<readonly FormerShow[]> {
    return this.#database.entities().find(formerShowTable, { showId: show }, { orderBy: { version: 'asc' } });
  }

  /** Raising the show's version, if it is the one that is known, keeps others out until the transaction is over. */
  async #change(
    show: ShowId,
    version: number,
    work: (entities: SqlEntityManager, row: ShowRow) => Promise<EditRefusal | null>,
  ): Promise<EditResult> {
    try {
      return await this.#database.transaction(async (entities) => {
        const next = { version: version + 1 };
        const isKnown = await entities.nativeUpdate(showTable, { id: show, version }, next);
        const row = await entities.findOne(showTable, { id: show });
        if (!row) throw new EditRefused('unknown');
        if (isKnown === 0) throw new EditRefused('edited-meanwhile');
        const text = JSON.stringify({ ...row, version });
        await entities.insert(formerShowTable, { showId: show, version, text });
        const why = await work(entities, row);
        if (why) throw new EditRefused(why);
        await raiseVersion(entities);
        return { ok: true, ...next };
      });
    } catch (cause) {
      if (cause instanceof EditRefused) return { ok: false, why: cause.why };
      throw cause;
    }
  }

  async #learnVenues(entities: SqlEntityManager, ids: ReadonlySet<string>): Promise<void> {
    const unknown = [...ids].filter((id) => !this.#venues.has(id));
    for (let from = 0; from < unknown.length; from += LAYOUTS_AT_ONCE) {
      const some = unknown.slice(from, from + LAYOUTS_AT_ONCE);
      for (const { id, layout } of await entities.find(venueLayoutTable, { id: { $in: some } })) {
        const { sections, ...told } = layoutColumn.parse(layout);
        this.#venues.set(id, { id, ...told, seatCount: seatsOf(sections) });
      }
    }
  }
}

/** Rolls the transaction back. */
class EditRefused extends Error {
  readonly why: EditRefusal;

  constructor(why: EditRefusal) {
    super(why);
    this.why = why;
  }
}

async function versionIn(entities: SqlEntityManager): Promise<number> {
  return (await entities.findOneOrFail(catalogVersionTable, { id: 1 })).version;
}

async function raiseVersion(entities: SqlEntityManager): Promise<void> {
  await entities.execute('update catalog_version set version = version + 1', [], 'run');
}

/** Deleted ones count: their ids must never be given to others. */
async function hasShows(entities: SqlEntityManager): Promise<boolean> {
  return (await entities.count(showTable)) > 0 || (await entities.count(formerShowTable)) > 0;
}

function rowOf(draft: ShowDraft, drawSeed: string) {
  const { venue, prices, sale, ...rest } = showDraft.parse(draft);
  return {
    ...rest,
    venueLayoutId: venue,
    prices: JSON.stringify(prices),
    terms: JSON.stringify(sale),
    drawSeed,
    paused: false,
  };
}

/** The columns that an edit changes. */
function editedRow(row: ShowRow, { paused = row.paused, sale, ...change }: ShowChange) {
  const draft = {
    ...row,
    venue: row.venueLayoutId,
    prices: jsonText.parse(row.prices),
    ...change,
    sale: { ...termsColumn.parse(row.terms), ...sale },
  };
  return { ...rowOf(showDraft.parse(draft), row.drawSeed), paused };
}

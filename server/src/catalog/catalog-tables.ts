import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';

/** A venue's seats as JSON; never changed once saved, because tickets refer to it. */
export const venueLayoutTable = defineEntity({
  name: 'VenueLayout',
  tableName: 'venue_layouts',
  properties: {
    id: p.string().primary(),
    layout: p.string(),
  },
});

/** A show; `prices` and `terms` are JSON. */
export const showTable = defineEntity({
  name: 'Show',
  tableName: 'shows',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    title: p.string(),
    subtitle: p.string(),
    description: p.string(),
    venueLayoutId: p.string(),
    startsAt: p.bigint('number'),
    currency: p.string(),
    prices: p.string(),
    terms: p.string(),
    drawSeed: p.string(),
    paused: p.boolean(),
    cancelled: p.boolean().default(false),
    version: p.bigint('number').default(1),
  },
});

/** A show's row as JSON, as it was before an edit. */
export const formerShowTable = defineEntity({
  name: 'FormerShow',
  tableName: 'former_shows',
  properties: {
    showId: p.bigint('number').primary(),
    version: p.bigint('number').primary(),
    text: p.string(),
  },
});

/** One row, whose version every edit raises in its own transaction: what nodes ask for to learn of edits. */
export const catalogVersionTable = defineEntity({
  name: 'CatalogVersion',
  tableName: 'catalog_version',
  properties: {
    id: p.integer().primary(),
    version: p.bigint('number'),
  },
});

export type ShowRow = InferEntity<typeof showTable>;

export const catalogTables = [venueLayoutTable, showTable, formerShowTable, catalogVersionTable] as const;

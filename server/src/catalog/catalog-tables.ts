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
  },
});

export type ShowRow = InferEntity<typeof showTable>;

export const catalogTables = [venueLayoutTable, showTable] as const;

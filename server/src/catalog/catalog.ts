import { isDeepStrictEqual } from 'node:util';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { ShowId } from '../platform/ids.ts';
import { answerWithin } from '../platform/retry.ts';
import type { Outside } from '../platform/outside.ts';
import { repeat } from '../platform/repeat.ts';
import { catalogContents, type CatalogContents, type ListedShow, type Show, withSeats } from './show.ts';

/** Where a read of the catalogue went: to this process's memory, to what nodes share, to the database. */
export type CatalogLayer = 'process' | 'redis' | 'database';

/** The contents of one version as text, which the nodes share so that the database is not asked by each. */
export interface CatalogText {
  /** Null where the text of that version is not there. */
  read(version: number): Promise<string | null>;
  write(version: number, text: string): Promise<void>;
  forget(): Promise<void>;
}

/** Where shows and venue layouts are kept. */
interface CatalogStore {
  /** One small read. */
  version(): Promise<number>;
  contents(): Promise<CatalogContents>;
  /** Rejects if there is none. */
  layout(venue: string): Promise<VenueLayout>;
}

export interface CatalogParts {
  readonly outside: Pick<Outside, 'clock' | 'report'>;
  readonly store: CatalogStore;
  /** Null where this process shares nothing with others. */
  readonly text: CatalogText | null;
  readonly onRead: (layer: CatalogLayer) => void;
}

/** Told of a show that was added or edited, or with null of one that was deleted. */
export type OnShowChange = (id: ShowId, show: ListedShow | null) => void;

/** An edit is to be seen by everybody within two seconds. */
const LOOK_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 8_000;
/** Seat maps kept for shows that open next; those of open shows are kept by them. */
const HOUSES_MAX = 16;

/** What shows in the same venue share. */
type House = Pick<Show, 'layout' | 'seatMap'>;

/**
 * The shows as this node knows them, in memory: readers never wait, and never ask the database. Each second the node
 * asks whether the catalogue has another version, which every edit gives it in its own transaction, and only then
 * reads it anew: from what another node shared, else from the database. Where a part is away, what was known stays.
 */
export class Catalog {
  readonly #parts: CatalogParts;
  readonly #listeners: OnShowChange[] = [];
  readonly #houses = new Map<string, Promise<House>>();
  #version: number | null = null;
  #shows: ReadonlyMap<ShowId, ListedShow> = new Map();
  #lastStartsAt = 0;
  #stop: () => Promise<void> = async () => undefined;

  constructor(parts: CatalogParts) {
    this.#parts = parts;
  }

  /** Resolves when the shows are known, and goes on looking for edits. Rejects if the database doesn't answer. */
  async start(): Promise<void> {
    const { outside, text } = this.#parts;
    // What an earlier database left there would answer for another catalogue.
    await text?.forget().catch((cause: unknown) => outside.report('the shared catalogue is away', cause));
    await this.look();
    this.#stop = repeat(
      outside.clock,
      LOOK_EVERY_MS,
      () => this.look(),
      (cause) => outside.report('the catalogue could not be looked after; the one of before is used', cause),
    );
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** Every show, by id. */
  list(): readonly ListedShow[] {
    this.#parts.onRead('process');
    return [...this.#shows.values()];
  }

  find(id: ShowId): ListedShow | null {
    this.#parts.onRead('process');
    return this.#shows.get(id) ?? null;
  }

  /** When the last show begins; 0 where there is none. */
  get lastStartsAt(): number {
    return this.#lastStartsAt;
  }

  /** A show with its seats; null if there is none. Who asks while it is being loaded waits for the same load. */
  async show(id: ShowId): Promise<Show | null> {
    const listed = this.find(id);
    return listed && withSeats(listed, await this.#house(listed.venue.id));
  }

  /** Registers who is told of edits from now on. */
  onChange(listener: OnShowChange): void {
    this.#listeners.push(listener);
  }

  /** Sees to it that edits made before are known. */
  async look(): Promise<void> {
    const { store } = this.#parts;
    const version = await this.#ask(() => store.version());
    if (version === this.#version) return;
    const contents = (await this.#shared(version)) ?? (await this.#fromDatabase());
    this.#take(contents);
  }

  async #fromDatabase(): Promise<CatalogContents> {
    const { outside, store, text } = this.#parts;
    const contents = await this.#ask(() => store.contents());
    await text
      ?.write(contents.version, JSON.stringify(contents))
      .catch((cause: unknown) => outside.report('the catalogue could not be shared', cause));
    return contents;
  }

  /** Null where nobody shared that version, or another version of ours did, in its own words. */
  async #shared(version: number): Promise<CatalogContents | null> {
    const { onRead, outside, text } = this.#parts;
    if (!text) return null;
    try {
      onRead('redis');
      const found = await text.read(version);
      const contents = found === null ? null : catalogContents.parse(JSON.parse(found));
      return contents?.version === version ? contents : null;
    } catch (cause) {
      outside.report('the shared catalogue can not be read; the database is asked', cause);
      return null;
    }
  }

  /** A show that did not change stays the same object. */
  #take({ version, shows }: CatalogContents): void {
    const before = this.#shows;
    const known = (show: ListedShow): ListedShow => {
      const old = before.get(show.id);
      return old && isDeepStrictEqual(old, show) ? old : show;
    };
    this.#shows = new Map(shows.map((show) => [show.id, known(show)]));
    this.#lastStartsAt = shows.reduce((last, { startsAt }) => Math.max(last, startsAt), 0);
    this.#version = version;
    for (const id of new Set([...before.keys(), ...this.#shows.keys()])) {
      const show = this.#shows.get(id) ?? null;
      if (show !== (before.get(id) ?? null)) for (const listener of this.#listeners) listener(id, show);
    }
  }

  #house(venue: string): Promise<House> {
    const known = this.#houses.get(venue);
    // The one asked for last is the last to go.
    this.#houses.delete(venue);
    const house = known ?? this.#loadHouse(venue);
    this.#houses.set(venue, house);
    const [oldest] = this.#houses.keys();
    if (oldest !== undefined && this.#houses.size > HOUSES_MAX) this.#houses.delete(oldest);
    return house;
  }

  #loadHouse(venue: string): Promise<House> {
    const house = this.#ask(() => this.#parts.store.layout(venue)).then((layout) => ({
      layout,
      seatMap: seatMapOf(layout),
    }));
    house.catch(() => {
      if (this.#houses.get(venue) === house) this.#houses.delete(venue);
    });
    return house;
  }

  #ask<T>(call: () => Promise<T>): Promise<T> {
    const { onRead, outside } = this.#parts;
    onRead('database');
    return answerWithin(outside.clock, ANSWER_WITHIN_MS, 'the catalogue database', call);
  }
}

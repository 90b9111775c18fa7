import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import pLimit from 'p-limit';
import type { ShowId } from '../platform/ids.ts';
import { answerWithin } from '../platform/outside-call.ts';
import { type CatalogCache, type Glance, LEASE_MS, type LoadLease } from './catalog-cache.ts';
import type { CatalogStore } from './catalog-store.ts';
import { CatalogText } from './catalog-text.ts';
import type { Show, ShowDraft } from './show.ts';

/** Where a read of the catalogue went. */
export const CATALOG_LAYERS = ['process', 'redis', 'database'] as const;
export type CatalogLayer = (typeof CATALOG_LAYERS)[number];

export interface CachedCatalogParts {
  /** The database; `edition` is another one after every edit of a show. */
  readonly store: CatalogStore & { edition(): Promise<string> };
  readonly cache: CatalogCache;
  readonly clock: Clock;
  readonly random: Random;
  /** Counts: every call asks the process's memory, some of them go on to the shared cache, few to the database. */
  readonly onRead: (layer: CatalogLayer) => void;
  /** Told of what went wrong while the catalogue could be served all the same. */
  readonly report: (message: string, cause: unknown) => void;
}

/** An edit on another node is seen after this at the latest, as long as the cache is there. */
const PROCESS_FRESH_MS = 2_000;
/** Callers get the catalogue of before while it is looked after; beyond this age they wait instead. */
const PROCESS_STALE_MS = 10_000;
/** Without the shared cache each node asks the database itself, but seldom. */
const ALONE_FRESH_MS = 10_000;
/** After a failure the catalogue of before is good for so long. */
const FAILED_FRESH_MS = 1_000;
/** An edit that went past us, by hand in the database, is seen after this where nobody calls `refresh`. */
const SHARED_FRESH_MS = 60_000;
/** Nodes find an entry due at different moments of the last part of its life, so that they don't all look at once. */
const EARLY_SHARE = 0.2;
/** What the clocks of nodes may differ by; an entry from further ahead would seem fresh for too long. */
const CLOCKS_APART_MS = 10_000;
const LOAD_TIMEOUT_MS = 8_000;
/** An edit overtakes a load now and then; always would be another trouble. */
const LOADS_MAX = 3;
/** How often a node that has nothing asks whether the loading one is done. */
const WAIT_STEP_MS = 50;
const WAIT_MAX_MS = LEASE_MS;

interface Held {
  readonly hash: string;
  readonly shows: readonly Show[];
  freshUntil: number;
}

/**
 * The catalogue in three layers: this process's memory for seconds, what the nodes share for a minute, the database
 * [A6]. Whoever finds a layer stale gets the old value while one caller looks at the next layer, so an expiry never
 * becomes a stampede; one node at a time loads from the database. Edits made here are seen here at once and by
 * other nodes within two seconds. A show that did not change stays the same object.
 */
export class CachedCatalogStore implements CatalogStore {
  readonly #parts: CachedCatalogParts;
  readonly #text = new CatalogText();
  readonly #oneLoad = pLimit(1);
  #held: Held | null = null;
  #refresh: Promise<readonly Show[]> | null = null;
  /** Goes on while callers already have an older value. */
  #background: Promise<unknown> = Promise.resolve();
  /** Of the shows as the database held them when it was last asked. */
  #edition: string | null = null;
  /** Counts edits made here: what was read before one is not kept after it. */
  #edits = 0;
  /** The shared cache was away when it should have heard of an edit. */
  #owesInvalidation = false;

  constructor(parts: CachedCatalogParts) {
    this.#parts = parts;
  }

  async shows(): Promise<readonly Show[]> {
    const { clock, onRead } = this.#parts;
    onRead('process');
    const held = this.#held;
    const now = clock.now();
    if (held && isFresh(held, now)) return held.shows;
    const refresh = (this.#refresh ??= this.#startRefresh());
    return held && now < held.freshUntil + PROCESS_STALE_MS ? held.shows : refresh;
  }

  /** An edit that went past this store, by hand in the database, is known to every node from here on. */
  async refresh(): Promise<void> {
    const { clock, store } = this.#parts;
    const before = this.#edition;
    this.#edition = await answerWithin(clock, LOAD_TIMEOUT_MS, 'the catalogue database', () =>
      store.edition(),
    );
    if (this.#edition !== before) await this.invalidate();
  }

  async addLayouts(layouts: readonly VenueLayout[]): Promise<void> {
    await this.#edit(() => this.#parts.store.addLayouts(layouts));
  }

  async addShow(draft: ShowDraft, drawSeed: string): Promise<ShowId> {
    return this.#edit(() => this.#parts.store.addShow(draft, drawSeed));
  }

  async fillIfEmpty(
    layouts: readonly VenueLayout[],
    shows: readonly { readonly draft: ShowDraft; readonly drawSeed: string }[],
  ): Promise<number> {
    return this.#edit(() => this.#parts.store.fillIfEmpty(layouts, shows));
  }

  /** Forgets what is known, here and on every node: the database was changed past this store. Never rejects. */
  async invalidate(): Promise<void> {
    this.#edits += 1;
    this.#held = null;
    this.#refresh = null;
    this.#owesInvalidation = true;
    await this.#settleInvalidation().catch((cause: unknown) =>
      this.#parts.report('the shared catalogue will hear of an edit later', cause),
    );
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#refresh?.catch(() => undefined);
    await this.#background;
  }

  /** A failed edit may have happened all the same, so it is followed by forgetting as well. */
  async #edit<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.invalidate();
    }
  }

  async #settleInvalidation(): Promise<void> {
    if (!this.#owesInvalidation) return;
    const edits = this.#edits;
    await this.#parts.cache.invalidate();
    if (edits === this.#edits) this.#owesInvalidation = false;
  }

  #startRefresh(): Promise<readonly Show[]> {
    const refresh = this.#refreshed(this.#edits).finally(() => {
      if (this.#refresh === refresh) this.#refresh = null;
    });
    // Whoever waits for it hears of a failure; often nobody does.
    refresh.catch(() => undefined);
    return refresh;
  }

  async #refreshed(edits: number): Promise<readonly Show[]> {
    const { clock, report } = this.#parts;
    try {
      return await this.#read(edits);
    } catch (cause) {
      const held = this.#held;
      if (!held) throw cause;
      report('the catalogue could not be looked after; the one of before is used', cause);
      held.freshUntil = clock.now() + FAILED_FRESH_MS;
      return held.shows;
    }
  }

  /** Reads the shared cache, and the database where it is this node's turn or there is no cache. */
  async #read(edits: number): Promise<readonly Show[]> {
    const { clock, random } = this.#parts;
    const beganAt = clock.now();
    while (clock.now() - beganAt < WAIT_MAX_MS) {
      const glance = await this.#glance(edits);
      if (!glance) break;
      const shows = this.#take(glance, edits);
      if (glance.lease) {
        const loading = this.#load(glance.lease, edits);
        if (!shows) return loading;
        this.#background = loading.catch((cause: unknown) =>
          this.#parts.report('the catalogue could not be loaded anew; the one of before is used', cause),
        );
      }
      if (shows) return shows;
      const isUnreadable = glance.entry !== null && glance.entry.text !== null;
      if (isUnreadable) break;
      const stepMs = WAIT_STEP_MS * (0.5 + random());
      await new Promise<void>((resolve) => void clock.after(stepMs, resolve));
    }
    const shows = await this.#fromDatabase();
    return this.#hold(this.#text.write(shows).hash, shows, ALONE_FRESH_MS, edits);
  }

  /** Null where the shared cache is away. */
  async #glance(edits: number): Promise<Glance | null> {
    const { cache, clock, onRead, random, report } = this.#parts;
    const now = clock.now();
    const loadedFrom = now - SHARED_FRESH_MS * (1 - EARLY_SHARE * random());
    const known = edits === this.#edits ? (this.#held?.hash ?? null) : null;
    try {
      await this.#settleInvalidation();
      onRead('redis');
      return await cache.glance(known, loadedFrom, now + CLOCKS_APART_MS);
    } catch (cause) {
      report('the shared catalogue is away; the database is asked', cause);
      return null;
    }
  }

  /** The shows of a shared entry; null where there is none that can be used. */
  #take({ entry }: Glance, edits: number): readonly Show[] | null {
    if (!entry) return null;
    const held = this.#held;
    if (held?.hash === entry.hash) return this.#hold(entry.hash, held.shows, PROCESS_FRESH_MS, edits);
    // Another call forgot what was held while the cache answered; the next look brings the text.
    if (entry.text === null) return null;
    try {
      return this.#hold(entry.hash, this.#text.read(entry.text), PROCESS_FRESH_MS, edits);
    } catch (cause) {
      // Another version of ours may have written it, and can read it: it is left alone until it is due.
      this.#parts.report('the shared catalogue can not be read; the database is asked', cause);
      return null;
    }
  }

  /** Loads the catalogue for every node. */
  async #load(lease: LoadLease, edits: number): Promise<readonly Show[]> {
    const { cache, clock, report } = this.#parts;
    let current = lease;
    const giveBack = (): Promise<void> => cache.giveBack(current).catch(() => undefined);
    for (let loads = 1; ; loads++) {
      const beganAt = clock.now();
      const shows = await this.#fromDatabase().catch(async (cause: unknown) => {
        await giveBack();
        throw cause;
      });
      const entry = this.#text.write(shows);
      const stored = await cache.store(current, entry, beganAt).catch((cause: unknown) => {
        report('the catalogue could not be shared', cause);
        return null;
      });
      if (stored?.kind === 'outdated') {
        current = stored.lease;
        if (loads < LOADS_MAX) continue;
        await giveBack();
      }
      return this.#hold(entry.hash, shows, PROCESS_FRESH_MS, edits);
    }
  }

  #fromDatabase(): Promise<readonly Show[]> {
    const { clock, onRead, store } = this.#parts;
    return this.#oneLoad(() => {
      onRead('database');
      return answerWithin(clock, LOAD_TIMEOUT_MS, 'the catalogue database', () => store.shows());
    });
  }

  /** Keeps what was read, unless an edit made it old meanwhile, and returns it. */
  #hold(hash: string, shows: readonly Show[], freshMs: number, edits: number): readonly Show[] {
    if (edits !== this.#edits) return shows;
    const freshUntil = this.#parts.clock.now() + freshMs;
    const same = this.#held?.hash === hash ? this.#held.shows : shows;
    this.#held = { hash, shows: same, freshUntil };
    return same;
  }
}

/** No entry is fresh for longer than the longest: one that would be was kept before the clock was set back. */
function isFresh({ freshUntil }: Held, now: number): boolean {
  return now < freshUntil && freshUntil - now <= ALONE_FRESH_MS;
}

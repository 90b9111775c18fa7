import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { ManualClock } from '@stampede/shared/platform/clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { showId } from '../platform/ids.ts';
import { CachedCatalogStore, type CatalogLayer } from './cached-catalog-store.ts';
import type { CatalogStore } from './catalog-store.ts';
import { demoShows } from './demo-shows.ts';
import { MemoryCatalogCache } from './memory-catalog-cache.ts';
import type { Show } from './show.ts';
import { loadVenueLayout } from './venue-layout-file.ts';

const layout = await loadVenueLayout(new URL('venues/gaivotas-hall.json', import.meta.url));
const seatMap = seatMapOf(layout);
const NOW = 1_700_000_000_000;

function show(id: number, title: string): Show {
  const { venue: _venue, ...draft } = demoShows(NOW)[3]!;
  return { ...draft, title, id: showId(id), layout, seatMap, drawSeed: 'ab', paused: false };
}

/** A database that answers when it is told to, or fails. */
class SlowDatabase implements CatalogStore {
  titles: string[] = ['The Grand Pillow Fight'];
  isDown = false;
  /** Loads that wait for `answer`; null: each is answered at once. */
  waiting: (() => void)[] | null = null;

  async shows(): Promise<readonly Show[]> {
    // What a query sees is settled when it begins.
    const shows = this.titles.map((title, index) => show(index + 1, title));
    const { waiting } = this;
    if (waiting) await new Promise<void>((resolve) => void waiting.push(resolve));
    if (this.isDown) throw new Error('the database is down');
    return shows;
  }

  async refresh(): Promise<void> {
    return Promise.resolve();
  }

  async edition(): Promise<string> {
    return this.titles.join();
  }

  answer(): void {
    for (const resolve of this.waiting?.splice(0) ?? []) resolve();
    this.waiting = null;
  }

  async addLayouts(): Promise<void> {
    return undefined;
  }

  async addShow({ title }: { title: string }): Promise<Show['id']> {
    this.titles.push(title);
    return showId(this.titles.length);
  }

  async fillIfEmpty(): Promise<number> {
    return 0;
  }
}

const TIME_STEP_MS = 100;
const PROCESS_MS = 2_000;
const PROCESS_AND_STALE_MS = 12_001;
const SHARED_MS = 61_000;

describe('cached catalogue', () => {
  let clock: ManualClock;
  let database: SlowDatabase;
  let cache: MemoryCatalogCache;
  let reads: Record<CatalogLayer, number>;
  let reports: string[];
  let nodes: CachedCatalogStore[];

  beforeEach(() => {
    clock = new ManualClock();
    database = new SlowDatabase();
    let tokens = 0;
    cache = new MemoryCatalogCache(clock, () => String(++tokens));
    reads = { process: 0, redis: 0, database: 0 };
    reports = [];
    nodes = [1, 2].map(
      (seed) =>
        new CachedCatalogStore({
          store: database,
          cache,
          clock,
          random: seededRandom(seed),
          onRead: (layer) => {
            reads[layer] += 1;
          },
          report: (message) => void reports.push(message),
        }),
    );
  });

  const titles = async (node = nodes[0]!): Promise<string[]> => (await node.shows()).map((one) => one.title);
  async function whileTimePasses<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false };
    void promise.finally(() => (state.isOver = true));
    while (!state.isOver) {
      clock.advance(TIME_STEP_MS);
      await new Promise(setImmediate);
    }
    return promise;
  }

  const settled = () => Promise.all(nodes.map((node) => node.settled()));

  it('[A6] many callers with nothing known cause one load, and the next ones none', async () => {
    await Promise.all(Array.from({ length: 100 }, () => titles()));
    await titles();
    expect(reads).toEqual({ process: 101, redis: 1, database: 1 });
  });

  it('[A6] gives the value of before while the shared one is looked at', async () => {
    const before = await nodes[0]!.shows();
    clock.advance(PROCESS_MS);
    expect(await nodes[0]!.shows()).toBe(before);
    await settled();
    expect(reads.redis).toBe(2);
    expect(reads.database).toBe(1);
  });

  it('looks again when the clock was set back', async () => {
    await titles();
    clock.set(-3_600_000);
    await titles();
    await settled();
    expect(reads.redis).toBe(2);
  });

  it('keeps an unchanged show the same object when it is loaded anew', async () => {
    const before = await nodes[0]!.shows();
    clock.advance(SHARED_MS);
    await nodes[0]!.shows();
    await settled();
    expect(reads.database).toBe(2);
    expect(await nodes[0]!.shows()).toBe(before);
  });

  it('[A6] a node that has nothing waits for the one that loads instead of loading as well', async () => {
    database.waiting = [];
    const [first, second] = [titles(nodes[0]), titles(nodes[1])];
    await new Promise(setImmediate);
    clock.advance(1_000);
    database.answer();
    expect(await first).toEqual(database.titles);
    expect(await whileTimePasses(second)).toEqual(database.titles);
    expect(reads.database).toBe(1);
  });

  it('an edit made while the catalogue is loaded is not hidden by that load', async () => {
    await titles();
    clock.advance(SHARED_MS);
    database.waiting = [];
    const stale = titles();
    await new Promise(setImmediate);
    await nodes[0]!.addShow({ ...demoShows(NOW)[0]!, title: 'Added' }, 'ab');
    const waiting = titles();
    await new Promise(setImmediate);
    database.answer();
    expect(await stale).toEqual(['The Grand Pillow Fight']);
    expect(await whileTimePasses(waiting)).toEqual(['The Grand Pillow Fight', 'Added']);
    expect(await titles()).toEqual(['The Grand Pillow Fight', 'Added']);
  });

  it('serves what it has while the database is down, and says so', async () => {
    const before = await titles();
    database.isDown = true;
    clock.advance(SHARED_MS);
    expect(await titles()).toEqual(before);
    await settled();
    expect(reports).toHaveLength(1);
    database.isDown = false;
    database.titles.push('Added');
    // The failed load gave back its lease: the next look loads.
    clock.advance(PROCESS_AND_STALE_MS);
    await titles();
    await settled();
    expect(await titles()).toEqual(['The Grand Pillow Fight', 'Added']);
  });

  it('rejects only when nothing is known at all', async () => {
    database.isDown = true;
    await expect(nodes[0]!.shows()).rejects.toThrow('the database is down');
    database.isDown = false;
    expect(await titles()).toEqual(database.titles);
  });

  it('makes up for an edit that the shared cache did not hear of', async () => {
    await titles(nodes[0]);
    const invalidate = cache.invalidate.bind(cache);
    cache.invalidate = () => Promise.reject(new Error('Redis is away'));
    await nodes[0]!.addShow({ ...demoShows(NOW)[0]!, title: 'Added' }, 'ab');
    expect(await titles(nodes[0])).toContain('Added');
    cache.invalidate = invalidate;
    clock.advance(PROCESS_AND_STALE_MS);
    await titles(nodes[0]);
    await settled();
    expect(await titles(nodes[1])).toContain('Added');
  });
});

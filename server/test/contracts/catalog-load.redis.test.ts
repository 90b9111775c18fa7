import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CachedCatalogStore, type CatalogLayer } from '../../src/catalog/cached-catalog-store.ts';
import type { CatalogStore } from '../../src/catalog/catalog-store.ts';
import { fillEmptyCatalog } from '../../src/catalog/demo-catalog.ts';
import { demoShows } from '../../src/catalog/demo-shows.ts';
import { RedisCatalogCache } from '../../src/catalog/redis-catalog-cache.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import type { RedisConnection } from '../../src/platform/redis.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { openTestDatabase, type TestDatabase } from './test-database.ts';

const NODES = 4;
const READS = 2_000;
/** Longer than anything is fresh in Redis. */
const EXPIRY_MS = 61_000;
const SEED = 'ab'.repeat(32);
const WAIT = { timeout: 20_000, interval: 10 };

/** Real time, with leaps. */
class LeapingClock implements Clock {
  #leapt = 0;

  now(): number {
    return systemClock.now() + this.#leapt;
  }

  after(delayMs: number, task: () => void): () => void {
    return systemClock.after(delayMs, task);
  }

  leap(ms: number): void {
    this.#leapt += ms;
  }
}

/** Knows how many loads there were and how many at the same time. */
function watched(store: SqlCatalogStore) {
  let running = 0;
  const seen = {
    loads: 0,
    loadsAtOnce: 0,
    store: {
      async shows() {
        seen.loads += 1;
        running += 1;
        seen.loadsAtOnce = Math.max(seen.loadsAtOnce, running);
        try {
          return await store.shows();
        } finally {
          running -= 1;
        }
      },
      addLayouts: (layouts) => store.addLayouts(layouts),
      addShow: (draft, drawSeed) => store.addShow(draft, drawSeed),
      fillIfEmpty: (layouts, shows) => store.fillIfEmpty(layouts, shows),
      refresh: () => store.refresh(),
      edition: () => store.edition(),
    } satisfies CatalogStore & { edition(): Promise<string> },
  };
  return seen;
}

describe('the catalogue under load, on Redis and SQLite', () => {
  let server: NativeServer;
  let test: TestDatabase;
  let connections: RedisConnection[];
  let nodes: CachedCatalogStore[];
  let database: ReturnType<typeof watched>;
  const clock = new LeapingClock();
  const reads: Record<CatalogLayer, number> = { process: 0, redis: 0, database: 0 };

  beforeEach(async () => {
    server = await startRedis();
    test = await openTestDatabase();
    database = watched(new SqlCatalogStore(test.database));
    await fillEmptyCatalog(new SqlCatalogStore(test.database), clock.now(), () => SEED);
    connections = await Promise.all(Array.from({ length: NODES }, () => connectTo(server.url)));
    nodes = connections.map(
      ({ client }) =>
        new CachedCatalogStore({
          store: database.store,
          cache: new RedisCatalogCache(client, randomUUID),
          clock,
          random: systemRandom,
          onRead: (layer) => {
            reads[layer] += 1;
          },
          report: () => undefined,
        }),
    );
    for (const layer of ['process', 'redis', 'database'] as const) reads[layer] = 0;
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.settled()));
    for (const connection of connections) connection.close();
    await server.remove();
    await test.remove();
  });

  const readAll = async (): Promise<void> => {
    const all = Array.from({ length: READS }, (_, index) => nodes[index % NODES]!.shows());
    for (const shows of await Promise.all(all)) expect(shows).toHaveLength(demoShows(0).length);
    await Promise.all(nodes.map((node) => node.settled()));
  };

  it('[A6] cold, and across expiries, loads once for all nodes: far over 90 % fewer database reads', async () => {
    await readAll();
    expect(database.loads).toBe(1);
    for (let expiry = 1; expiry <= 3; expiry++) {
      clock.leap(EXPIRY_MS);
      await readAll();
      expect(database.loads).toBe(1 + expiry);
    }
    expect(database.loadsAtOnce).toBe(1);
    expect(reads).toMatchObject({ process: 4 * READS, database: database.loads });
    expect(1 - reads.database / reads.process).toBeGreaterThanOrEqual(0.9);
  });

  it('[A6] answers with what there was while one node loads', async () => {
    await readAll();
    clock.leap(5_000);
    const before = await nodes[0]!.shows();
    const release = Promise.withResolvers<undefined>();
    const shows = database.store.shows.bind(database.store);
    database.store.shows = async () => {
      await release.promise;
      return shows();
    };
    clock.leap(EXPIRY_MS);
    // Too old to be given unseen, so this call asks Redis, finds the entry due, and does not wait for the load.
    expect(await nodes[0]!.shows()).toBe(before);
    release.resolve(undefined);
  });

  it('[A6] shows an edit of one node to itself at once and to the others within two seconds', async () => {
    await readAll();
    const before = await nodes[0]!.shows();
    const id = await nodes[1]!.addShow(demoShows(clock.now())[0]!, SEED);
    expect((await nodes[1]!.shows()).map((show) => show.id)).toContain(id);
    clock.leap(2_000);
    await vi.waitFor(async () => {
      for (const node of nodes) expect((await node.shows()).map((show) => show.id)).toContain(id);
    }, WAIT);
    const after = await nodes[0]!.shows();
    // Placing a stadium's seats again would cost more than everything else.
    expect(after[0]?.seatMap).toBe(before[0]?.seatMap);
  });

  it('goes to the database while Redis is away, one read a node, and back to Redis', async () => {
    await readAll();
    await server.kill();
    const loads = database.loads;
    clock.leap(EXPIRY_MS);
    await readAll();
    expect(database.loads - loads).toBeLessThanOrEqual(NODES);
    await server.start();
    await vi.waitFor(() => connections[0]!.client.ping(), WAIT);
    const asked = reads.redis;
    clock.leap(EXPIRY_MS);
    await readAll();
    expect(reads.redis).toBeGreaterThan(asked);
  });

  it('loads again when Redis forgot everything', async () => {
    await readAll();
    await connections[0]!.client.flushall();
    clock.leap(2_000);
    await readAll();
    expect(database.loads).toBe(2);
  });

  it('reads past what another version left in Redis, and replaces it when it is due', async () => {
    const entry = { hash: 'x', text: '{"shows":7}', 'loaded-at': clock.now() };
    await connections[0]!.client.hset('{catalog}:entry', entry);
    await readAll();
    expect(database.loads).toBe(NODES);
    clock.leap(EXPIRY_MS);
    await readAll();
    const { loads } = database;
    clock.leap(EXPIRY_MS);
    await readAll();
    expect(database.loads).toBe(loads + 1);
  });
});

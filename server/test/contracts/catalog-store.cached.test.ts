import { randomUUID } from 'node:crypto';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { expect, test } from 'vitest';
import { CachedCatalogStore } from '../../src/catalog/cached-catalog-store.ts';
import { showTable } from '../../src/catalog/catalog-tables.ts';
import { fillEmptyCatalog } from '../../src/catalog/demo-catalog.ts';
import { MemoryCatalogCache } from '../../src/catalog/memory-catalog-cache.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { catalogStoreContract } from './catalog-store.contract.ts';
import { openTestDatabase } from './test-database.ts';

async function nodesOnOneDatabase() {
  const test = await openTestDatabase();
  const cache = new MemoryCatalogCache(systemClock, randomUUID);
  const stores: CachedCatalogStore[] = [];
  const open = (): CachedCatalogStore => {
    const store = new CachedCatalogStore({
      store: new SqlCatalogStore(test.database),
      cache,
      clock: systemClock,
      random: systemRandom,
      onRead: () => undefined,
      report: (message, cause) => {
        throw new Error(message, { cause });
      },
    });
    stores.push(store);
    return store;
  };
  const remove = async (): Promise<void> => {
    await Promise.all(stores.map((store) => store.settled()));
    await test.remove();
  };
  return { database: test.database, open, remove };
}

test('[C3] an edit made in the database is what every node reads once it has looked', async () => {
  const { database, open, remove } = await nodesOnOneDatabase();
  try {
    const nodes = [open(), open()];
    await fillEmptyCatalog(nodes[0]!, systemClock.now(), () => 'ab'.repeat(32));
    const paused = async () => Promise.all(nodes.map(async (node) => (await node.shows())[0]?.paused));
    await Promise.all(nodes.map((node) => node.refresh()));
    expect(await paused()).toEqual([false, false]);
    await database.entities().nativeUpdate(showTable, { id: 1 }, { paused: true });
    await Promise.all(nodes.map((node) => node.refresh()));
    expect(await paused()).toEqual([true, true]);
  } finally {
    await remove();
  }
});

catalogStoreContract('cached, on SQLite', async () => {
  const { open, remove } = await nodesOnOneDatabase();
  return { store: open(), reopened: open, remove };
});

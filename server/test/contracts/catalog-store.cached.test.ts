import { randomUUID } from 'node:crypto';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { CachedCatalogStore } from '../../src/catalog/cached-catalog-store.ts';
import { MemoryCatalogCache } from '../../src/catalog/memory-catalog-cache.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { catalogStoreContract } from './catalog-store.contract.ts';
import { openTestDatabase } from './test-database.ts';

catalogStoreContract('cached, on SQLite', async () => {
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
  return {
    store: open(),
    reopened: open,
    remove: async () => {
      await Promise.all(stores.map((store) => store.settled()));
      await test.remove();
    },
  };
});

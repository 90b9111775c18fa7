import { randomUUID } from 'node:crypto';
import { ManualClock } from '@stampede/shared/platform/clock.ts';
import { LEASE_MS } from '../../src/catalog/catalog-cache.ts';
import { MemoryCatalogCache } from '../../src/catalog/memory-catalog-cache.ts';
import { catalogCacheContract } from './catalog-cache.contract.ts';

catalogCacheContract('memory', async () => {
  const clock = new ManualClock();
  const cache = new MemoryCatalogCache(clock, randomUUID);
  const endLease = async (): Promise<void> => clock.advance(LEASE_MS);
  return {
    nodes: [cache, cache],
    endLease,
    forgetEverything: async () => {
      await endLease();
      await cache.invalidate();
    },
    remove: async () => undefined,
  };
});

import { randomUUID } from 'node:crypto';
import { vi } from 'vitest';
import { RedisCatalogCache } from '../../../src/catalog/redis-catalog-cache.ts';
import type { CatalogCacheUnderTest } from '../catalog-cache.contract.ts';
import { connectTo } from './redis-stand.ts';

const WAIT = { timeout: 10_000, interval: 20 };
const KEYS = ['{catalog}:entry', '{catalog}:version', '{catalog}:lease'];

/** Two nodes with a connection each. */
export async function redisCatalogCaches(urls: string): Promise<CatalogCacheUnderTest> {
  const connections = await Promise.all([connectTo(urls), connectTo(urls)]);
  const [{ client }] = connections;
  const nodes = [
    new RedisCatalogCache(client, randomUUID),
    new RedisCatalogCache(connections[1].client, randomUUID),
  ] as const;
  // The nodes of a cluster are connected to when they are first needed.
  for (const node of nodes) await vi.waitFor(() => node.giveBack({ token: 'nobody', version: 0 }), WAIT);
  return {
    nodes,
    endLease: async () => {
      await client.pexpire('{catalog}:lease', 0);
    },
    forgetEverything: async () => {
      await client.del(...KEYS);
    },
    remove: async () => {
      for (const connection of connections) connection.close();
    },
  };
}

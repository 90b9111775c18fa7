import { catalogCacheContract } from './catalog-cache.contract.ts';
import { redisCatalogCaches } from './redis/catalog-cache-stand.ts';
import { startCluster } from './redis/redis-stand.ts';

catalogCacheContract('Redis Cluster', async () => {
  const servers = await startCluster();
  const under = await redisCatalogCaches(servers.urls);
  return {
    ...under,
    remove: async () => {
      await under.remove();
      await servers.remove();
    },
  };
});

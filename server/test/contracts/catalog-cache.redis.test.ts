import { startRedis } from '../../tools/stack/private-servers.ts';
import { catalogCacheContract } from './catalog-cache.contract.ts';
import { redisCatalogCaches } from './redis/catalog-cache-stand.ts';

catalogCacheContract('Redis', async () => {
  const server = await startRedis();
  const under = await redisCatalogCaches(server.url);
  return {
    ...under,
    remove: async () => {
      await under.remove();
      await server.remove();
    },
  };
});

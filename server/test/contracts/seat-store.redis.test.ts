import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { redisNode } from './redis/seat-stand.ts';
import { describeSeatStore } from './seat-store.contract.ts';

describeSeatStore('Redis', async () => {
  const server = await startRedis();
  const node = redisNode(await connectTo(server.url));
  return {
    ...node,
    close: async () => {
      await node.close();
      await server.remove();
    },
  };
});

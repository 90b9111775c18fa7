import { connectTo, startCluster } from './redis/redis-stand.ts';
import { redisNode } from './redis/seat-stand.ts';
import { describeSeatStore } from './seat-store.contract.ts';

describeSeatStore('Redis Cluster', async () => {
  const cluster = await startCluster();
  const node = redisNode(await connectTo(cluster.urls));
  return {
    ...node,
    close: async () => {
      await node.close();
      await cluster.remove();
    },
  };
});

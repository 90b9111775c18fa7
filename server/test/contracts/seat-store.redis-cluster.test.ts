import { connectTo, startCluster } from './redis/redis-stand.ts';
import { redisNode } from './redis/seat-stand.ts';
import { describeSeatStore } from './seat-store.contract.ts';
import { describeStoreTime } from './seating/store-time-rules.ts';

async function clusterNode(clock?: null) {
  const cluster = await startCluster();
  const node = redisNode(await connectTo(cluster.urls), { clock });
  return {
    ...node,
    close: async () => {
      await node.close();
      await cluster.remove();
    },
  };
}

/** Scripts are the same as on one node; what a cluster adds is where the keys of a show lie. */
describeSeatStore('Redis Cluster', () => clusterNode(), { randomSales: 10 });
describeStoreTime('Redis Cluster', () => clusterNode(null));

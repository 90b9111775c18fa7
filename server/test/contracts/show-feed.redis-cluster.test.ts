import { beginHistory, publish, publishOfFuture } from './redis/feed-pen.ts';
import { connectTo, startCluster } from './redis/redis-stand.ts';
import { HARDLY_CUT, redisNode } from './redis/seat-stand.ts';
import { describeSharedShowFeed } from './show-feed.contract.ts';

describeSharedShowFeed('Redis Cluster', async () => {
  const cluster = await startCluster();
  const { connection, feed, close } = redisNode(await connectTo(cluster.urls), { checkpoints: HARDLY_CUT });
  return {
    feed,
    begin: (show, statuses, sectionOf) => beginHistory(connection.client, show, statuses, sectionOf),
    publish: (show, entry) => publish(connection.client, show, entry),
    publishOfFuture: (show, changes) => publishOfFuture(connection.client, show, changes),
    close: async () => {
      await close();
      await cluster.remove();
    },
  };
});

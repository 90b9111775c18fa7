import { beginHistory, publish, publishOfFuture } from './redis/feed-pen.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { HARDLY_CUT, redisNode } from './redis/seat-stand.ts';
import { describeSharedShowFeed } from './show-feed.contract.ts';

describeSharedShowFeed('Redis', async () => {
  const server = await startRedis();
  const { connection, feed, close } = redisNode(await connectTo(server.url), { checkpoints: HARDLY_CUT });
  return {
    feed,
    begin: (show, statuses, sectionOf) => beginHistory(connection.client, show, statuses, sectionOf),
    publish: (show, entry) => publish(connection.client, show, entry),
    publishOfFuture: (show, changes) => publishOfFuture(connection.client, show, changes),
    close: async () => {
      await close();
      await server.remove();
    },
  };
});

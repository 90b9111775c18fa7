import { beginHistory, publish } from './redis/feed-pen.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { redisNode } from './redis/seat-stand.ts';
import { describeShowFeed } from './show-feed.contract.ts';

describeShowFeed('Redis', async () => {
  const server = await startRedis();
  const { connection, feed, close } = redisNode(await connectTo(server.url));
  return {
    feed,
    begin: (show, statuses, sectionOf) => beginHistory(connection.client, show, statuses, sectionOf),
    publish: (show, entry) => publish(connection.client, show, entry),
    close: async () => {
      await close();
      await server.remove();
    },
  };
});

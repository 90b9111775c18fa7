import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { redisNode } from './redis/seat-stand.ts';
import { describeSeatStore } from './seat-store.contract.ts';
import { describeStoreTime } from './seating/store-time-rules.ts';

async function nodeOnItsOwn(clock?: null) {
  const server = await startRedis();
  const node = redisNode(await connectTo(server.url), { clock });
  return {
    ...node,
    close: async () => {
      await node.close();
      await server.remove();
    },
  };
}

describeSeatStore('Redis', () => nodeOnItsOwn());
describeStoreTime('Redis', () => nodeOnItsOwn(null));

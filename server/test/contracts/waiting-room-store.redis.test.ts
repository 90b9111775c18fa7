import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { redisWaitingRoom } from './redis/waiting-room-stand.ts';
import { describeWaitingRoomStore } from './waiting-room-store.contract.ts';

describeWaitingRoomStore(
  'Redis',
  async () => {
    const server = await startRedis();
    return redisWaitingRoom(await connectTo(server.url), () => server.remove());
  },
  100,
);

import { connectTo, startCluster } from './redis/redis-stand.ts';
import { redisWaitingRoom } from './redis/waiting-room-stand.ts';
import { describeWaitingRoomStore } from './waiting-room-store.contract.ts';

describeWaitingRoomStore(
  'Redis Cluster',
  async () => {
    const cluster = await startCluster();
    return redisWaitingRoom(await connectTo(cluster.urls), () => cluster.remove());
  },
  30,
);

import { sessionId } from '../../../src/platform/ids.ts';
import { showKey, type ShowKey } from '../../../src/platform/redis-keys.ts';
import type { RedisConnection } from '../../../src/platform/redis.ts';
import { feedEntriesOf } from '../../../src/feed/redis-feed-entry.ts';
import { RedisWaitingRoomStore } from '../../../src/waiting-room/redis-waiting-room-store.ts';
import { settableClock, type WaitingRoomUnderTest } from '../waiting-room-under-test.ts';
import { nextTurn } from '../../../src/platform/outside.ts';

const ROOM_KEYS: readonly ShowKey[] = [
  'room',
  'waiting',
  'place-ends',
  'seen',
  'admitted',
  'admissions',
  'outside',
  'place-networks',
  'network-places',
  'restored',
];

export function redisWaitingRoom(
  connection: RedisConnection,
  remove: () => Promise<void>,
): WaitingRoomUnderTest {
  const { client } = connection;
  const { clock, set } = settableClock();
  const store = new RedisWaitingRoomStore(client, { nextTurn }, clock);
  return {
    at: (now) => {
      set(now);
      return store;
    },
    isAdmitted: async (show, session, now) =>
      Number((await client.zscore(showKey(show, 'admitted'), sessionId(session))) ?? 0) > now,
    notices: async (show) => {
      const entries = await client.xrangeBuffer(showKey(show, 'feed'), '-', '+');
      return entries.flatMap(([, fields]) =>
        feedEntriesOf(fields[1]).flatMap(({ notice }) => (notice ? [notice] : [])),
      );
    },
    lose: async (show) => {
      await Promise.all(ROOM_KEYS.map((key) => client.del(showKey(show, key))));
    },
    close: async () => {
      connection.close();
      await remove();
    },
  };
}

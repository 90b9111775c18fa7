import type { ShowId } from '../../src/platform/ids.ts';
import type { Notice } from '../../src/feed/show-feed.ts';
import { MemoryWaitingRoomStore } from '../../src/waiting-room/memory-waiting-room-store.ts';
import { describeWaitingRoomStore } from './waiting-room-store.contract.ts';
import { settableClock } from './waiting-room-under-test.ts';

describeWaitingRoomStore('in process', async () => {
  const feeds = new Map<ShowId, Notice[]>();
  const { clock, set } = settableClock();
  const open = (): MemoryWaitingRoomStore =>
    new MemoryWaitingRoomStore((show, { notice }) => {
      if (notice) feeds.set(show, [...(feeds.get(show) ?? []), notice]);
    }, clock);
  let store = open();
  return {
    at: (now) => {
      set(now);
      return store;
    },
    isAdmitted: async (show, session, now) => store.isAdmitted(show, session, now),
    notices: async (show) => feeds.get(show) ?? [],
    // Everything ends with the process.
    lose: async () => {
      store = open();
    },
    close: async () => undefined,
  };
});

import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { MemorySeatStore } from '../../src/seating/memory-seat-store.ts';
import { MemoryShowFeed } from '../../src/feed/memory-show-feed.ts';
import { describeSeatStore } from './seat-store.contract.ts';
import { nextTurn } from '../../src/platform/outside.ts';

describeSeatStore('in process', async () => {
  const deadlines = new Map<string, number>();
  const feed = new MemoryShowFeed({ nextTurn });
  const clock = new ManualClock();
  let epoch = 0;
  const store = new MemorySeatStore({
    feed,
    admissions: {
      isAdmitted: (show, session, now) => (deadlines.get(`${show} ${session}`) ?? 0) > now,
    },
    newEpoch: () => ++epoch,
    clock,
  });
  return {
    store,
    feed,
    clock,
    admit: async (show, session, deadline) => void deadlines.set(`${show} ${session}`, deadline),
    close: async () => undefined,
  };
});

import type { ShowId } from '../../src/platform/ids.ts';
import { MemoryShowFeed } from '../../src/feed/memory-show-feed.ts';
import { describeShowFeed } from './show-feed.contract.ts';
import { nextTurn } from '../../src/platform/outside.ts';

describeShowFeed('in process', async () => {
  const feed = new MemoryShowFeed({ nextTurn });
  /** The store's. */
  const statusesOf = new Map<ShowId, Uint8Array>();
  let epoch = 0;
  return {
    feed,
    begin: async (show, statuses, sectionOf) => {
      epoch += 1;
      statusesOf.set(show, statuses.slice());
      feed.begin(show, { epoch, statuses: statusesOf.get(show)! }, sectionOf, Math.max(...sectionOf) + 1);
      return epoch;
    },
    publish: async (show, entry) => {
      for (const { seat, status } of entry.changes) statusesOf.get(show)![seat] = status;
      feed.publish(show, entry);
    },
    close: async () => undefined,
  };
});

import { MemoryShowFeed } from '../../src/feed/memory-show-feed.ts';
import { describeShowFeed } from './show-feed.contract.ts';
import { nextTurn } from '../../src/platform/outside.ts';

describeShowFeed('in process', async () => {
  const feed = new MemoryShowFeed({ nextTurn });
  let epoch = 0;
  return {
    feed,
    begin: async (show, statuses, sectionOf) => {
      epoch += 1;
      feed.begin(show, { epoch, statuses }, sectionOf, Math.max(...sectionOf) + 1);
      return epoch;
    },
    publish: async (show, entry) => feed.publish(show, entry),
    close: async () => undefined,
  };
});

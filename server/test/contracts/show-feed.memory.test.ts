import { MemoryShowFeed } from '../../src/seating/memory-show-feed.ts';
import { describeShowFeed } from './show-feed.contract.ts';

describeShowFeed('in process', async () => {
  const feed = new MemoryShowFeed();
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

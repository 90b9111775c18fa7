import { systemClock } from '@stampede/shared/platform/clock.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { ShowId } from '../../../src/platform/ids.ts';
import { showKey } from '../../../src/platform/redis-keys.ts';
import type { RedisConnection } from '../../../src/platform/redis.ts';
import { nextTurn } from '../../../src/platform/outside.ts';
import { RedisSeatStore } from '../../../src/seating/redis-seat-store.ts';
import { type CheckpointPace, RedisShowFeed } from '../../../src/feed/redis-show-feed.ts';
import type { SeatStoreFixture } from '../seating/seat-stand.ts';

/** So small that every longer test goes over several checkpoints and cut streams. */
const CHECKPOINTS: CheckpointPace = { every: 5, kept: 3 };

/** For rules about what followers of one show hear: who is outrun by a cut hears nothing of what is in its new base. */
export const HARDLY_CUT: CheckpointPace = { every: 5, kept: 1_000 };

let lastEpoch = 0;

/** The time of all nodes of a test file. */
const testClock = new ManualClock();

/** A number that no earlier history of this run had. */
export const newEpoch = (): number => ++lastEpoch;

/** A node's store and feed. */
export interface RedisNode extends SeatStoreFixture {
  readonly store: RedisSeatStore;
  readonly feed: RedisShowFeed;
  readonly connection: RedisConnection;
  /** Shows of which the store said that their history is lost. */
  readonly lost: ShowId[];
  readonly close: () => Promise<void>;
}

interface NodeChoices {
  readonly checkpoints?: CheckpointPace;
  readonly epochs?: () => number;
  /** What the store takes for Redis's time; null: Redis's own. */
  readonly clock?: ManualClock | null | undefined;
}

export function redisNode(
  connection: RedisConnection,
  { checkpoints = CHECKPOINTS, epochs = newEpoch, clock = testClock }: NodeChoices = {},
): RedisNode {
  const lost: ShowId[] = [];
  const feed = new RedisShowFeed({
    connection,
    outside: { clock: systemClock, random: systemRandom },
    newEpoch: epochs,
    onHistoryLost: (show) => void lost.push(show),
    onTrouble: () => undefined,
    checkpoints,
  });
  return {
    connection,
    clock: testClock,
    lost,
    feed,
    store: new RedisSeatStore({
      redis: connection.client,
      outside: { nextTurn },
      newEpoch: epochs,
      knownEpoch: (show) => feed.epochOf(show),
      onHistoryLost: (show) => void lost.push(show),
      ...(clock && { testClock: clock }),
    }),
    admit: async (show, session, deadline) => {
      await connection.client.zadd(showKey(show, 'admitted'), deadline, session);
    },
    close: async () => {
      feed.close();
      connection.close();
    },
  };
}

import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { ShowId } from '../platform/ids.ts';
import { keysOfShow } from '../platform/redis-keys.ts';
import type { RedisConnection } from '../platform/redis.ts';
import { nextTurn } from '../platform/turn.ts';
import { type HistoryPart, readHistory, sequenceBytes, writeCheckpoint } from './redis-feed-scripts.ts';
import { FeedTail, TAIL_WAIT_MS } from './redis-feed-tail.ts';
import { FollowedShow } from './redis-followed-show.ts';
import type { FeedFollower, ShowFeed } from './show-feed.ts';

export interface RedisShowFeedParts {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly random: Random;
  /** As for the seat store: should entries be missing, another epoch begins. */
  readonly newEpoch: () => number;
  /** Told when Redis has not the whole history of a followed show any more: see the seat store. */
  readonly onHistoryLost?: (show: ShowId) => void;
  /** Told of each notice that only a newer version knows: it is skipped. */
  readonly onUnknownNotice?: () => void;
  /** Told of everything that makes the feed late; it goes on by itself. */
  readonly onTrouble: (cause: unknown) => void;
  /** Entries after which a checkpoint is written, and those kept before one. Smaller ones are for tests. */
  readonly checkpoints?: CheckpointPace;
}

export interface CheckpointPace {
  readonly every: number;
  readonly kept: number;
}

/**
 * Some thousand entries are read and applied in some 10 ms: that is what following costs at most. What is kept
 * before a checkpoint lets a node that was away for seconds go on without a new base.
 */
const CHECKPOINT_PACE: CheckpointPace = { every: 2_000, kept: 1_000 };

/**
 * Follows the streams that the scripts write. Reading a stream misses nothing, unlike publish and subscribe. A base
 * is a checkpoint and the entries after it; checkpoints are written by whichever node has gone far enough beyond
 * the last one, and only behind one is a stream cut. One connection waits for all shows of a node; on Redis
 * Cluster, where a command can't name streams of several slots, one per show.
 */
export class RedisShowFeed implements ShowFeed {
  readonly #parts: RedisShowFeedParts;
  readonly #pace: CheckpointPace;
  readonly #shows = new Map<ShowId, FollowedShow>();
  readonly #tails = new Map<FollowedShow, FeedTail>();
  readonly #checkpointing = new Set<FollowedShow>();
  /** Where one connection is enough for all. */
  readonly #sharedTail: FeedTail | null;

  constructor(parts: RedisShowFeedParts) {
    this.#parts = parts;
    // Nodes read the same entries at the same time; they shouldn't all write the same checkpoint.
    const { every, kept } = parts.checkpoints ?? CHECKPOINT_PACE;
    this.#pace = { every: Math.round(every * (1 + parts.random() / 2)), kept };
    this.#sharedTail = parts.connection.isCluster ? null : this.#newTail();
  }

  async follow(show: ShowId, follower: FeedFollower): Promise<() => void> {
    const followed = this.#shows.get(show) ?? this.#newShow(show);
    this.#shows.set(show, followed);
    try {
      await followed.add(follower);
    } catch (cause) {
      this.#leave(followed);
      throw cause;
    }
    this.#tailOf(followed);
    return () => {
      followed.remove(follower);
      this.#leave(followed);
    };
  }

  /** The epoch that a show is followed in; 0 if it isn't. */
  epochOf(show: ShowId): number {
    return this.#shows.get(show)?.position.epoch ?? 0;
  }

  /** Ends every following. */
  close(): void {
    this.#sharedTail?.stop();
    for (const tail of this.#tails.values()) if (tail !== this.#sharedTail) tail.stop();
    this.#tails.clear();
    this.#shows.clear();
  }

  #newShow(show: ShowId): FollowedShow {
    return new FollowedShow(show, {
      read: (...known) => this.#read(...known),
      onApplied: (followed) => void this.#keepCheckpoint(followed),
      onUnknownNotice: () => this.#parts.onUnknownNotice?.(),
      onLost: () => this.#parts.onHistoryLost?.(show),
    });
  }

  /** Forgets a show that nobody follows any more, once it is sure that nobody is about to. */
  #leave(followed: FollowedShow): void {
    nextTurn(() => {
      if (followed.isFollowed || this.#shows.get(followed.show) !== followed) return;
      const tail = this.#tails.get(followed);
      tail?.remove(followed);
      if (tail !== this.#sharedTail) tail?.stop();
      this.#tails.delete(followed);
      this.#shows.delete(followed.show);
    });
  }

  #tailOf(followed: FollowedShow): void {
    if (this.#tails.has(followed)) return;
    const tail = this.#sharedTail ?? this.#newTail();
    this.#tails.set(followed, tail);
    tail.add(followed);
  }

  #newTail(): FeedTail {
    const { connection, clock, onTrouble } = this.#parts;
    return new FeedTail({
      waiting: connection.waiting(TAIL_WAIT_MS),
      waker: connection.client,
      clock,
      onTrouble,
    });
  }

  #read(show: ShowId, knownEpoch: number, knownNumber: number): Promise<HistoryPart | null> {
    const { connection, newEpoch } = this.#parts;
    return readHistory.run(connection.client, keysOfShow(show), knownEpoch, knownNumber, newEpoch());
  }

  async #keepCheckpoint(followed: FollowedShow): Promise<void> {
    if (followed.entriesSinceCheckpoint < this.#pace.every || this.#checkpointing.has(followed)) return;
    const { epoch, number } = followed.position;
    const { statuses, sequences } = followed.base();
    this.#checkpointing.add(followed);
    try {
      const there = await writeCheckpoint.run(
        this.#parts.connection.client,
        keysOfShow(followed.show),
        epoch,
        number,
        statuses,
        sequenceBytes(sequences),
        this.#pace.kept,
      );
      if (there !== null) followed.noteCheckpoint(epoch, there);
    } catch (cause) {
      this.#parts.onTrouble(cause);
    } finally {
      this.#checkpointing.delete(followed);
    }
  }
}

import type { ShowId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { keysOfShow } from '../platform/redis-keys.ts';
import type { RedisConnection } from '../platform/redis.ts';
import { type HistoryPart, readHistory, sequenceBytes, writeCheckpoint } from './redis-feed-scripts.ts';
import { FeedTail, TAIL_WAIT_MS } from './redis-feed-tail.ts';
import { changesOf, FollowedShow } from './redis-followed-show.ts';
import { type FeedFollower, type ShowFeed, UnknownFeedError } from './show-feed.ts';

export interface RedisShowFeedParts {
  readonly connection: RedisConnection;
  readonly outside: Pick<Outside, 'clock' | 'random'>;
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
  readonly #followed = new Map<ShowId, FollowedShow>();
  readonly #tails = new Map<FollowedShow, FeedTail>();
  readonly #checkpointing = new Set<FollowedShow>();
  /** Where one connection is enough for all. */
  readonly #sharedTail: FeedTail | null;

  constructor(parts: RedisShowFeedParts) {
    this.#parts = parts;
    // Nodes read the same entries at the same time; they shouldn't all write the same checkpoint.
    const { every, kept } = parts.checkpoints ?? CHECKPOINT_PACE;
    this.#pace = { every: Math.round(every * (1 + parts.outside.random() / 2)), kept };
    this.#sharedTail = parts.connection.isCluster ? null : this.#newTail();
  }

  async read(show: ShowId): Promise<Uint8Array> {
    const part = await this.#readHistory(show, 0, 0);
    if (!part?.base) throw new UnknownFeedError(show);
    const { statuses } = part.base;
    for (const { seat, status } of changesOf(part.entries)) statuses[seat] = status;
    return statuses;
  }

  async follow(show: ShowId, follower: FeedFollower): Promise<() => void> {
    const followed = this.#followed.get(show) ?? this.#newShow(show);
    this.#followed.set(show, followed);
    try {
      await followed.add(follower);
    } catch (cause) {
      this.#leave(followed);
      throw cause;
    }
    if (!this.#tails.has(followed)) {
      const tail = this.#sharedTail ?? this.#newTail();
      this.#tails.set(followed, tail);
      tail.add(followed);
    }
    return () => {
      followed.remove(follower);
      this.#leave(followed);
    };
  }

  /** The epoch that a show is followed in; 0 if it isn't. */
  epochOf(show: ShowId): number {
    return this.#followed.get(show)?.position.epoch ?? 0;
  }

  /** Ends every following. */
  close(): void {
    this.#sharedTail?.stop();
    for (const tail of this.#tails.values()) if (tail !== this.#sharedTail) tail.stop();
    this.#tails.clear();
    this.#followed.clear();
  }

  #newShow(show: ShowId): FollowedShow {
    const followed: FollowedShow = new FollowedShow(show, {
      read: (epoch, number) => this.#readHistory(show, epoch, number),
      onUnknownNotice: () => this.#parts.onUnknownNotice?.(),
      onLost: () => this.#parts.onHistoryLost?.(show),
      onFarFrom: (entries) => {
        if (entries >= this.#pace.every) void this.#writeCheckpoint(followed);
      },
    });
    return followed;
  }

  #leave(followed: FollowedShow): void {
    if (followed.isFollowed || this.#followed.get(followed.show) !== followed) return;
    const tail = this.#tails.get(followed);
    tail?.remove(followed);
    if (tail !== this.#sharedTail) tail?.stop();
    this.#tails.delete(followed);
    this.#followed.delete(followed.show);
  }

  #newTail(): FeedTail {
    const { connection, outside, onTrouble } = this.#parts;
    const waiting = connection.waiting(TAIL_WAIT_MS);
    return new FeedTail({ waiting, waker: connection.client, outside, onTrouble });
  }

  #readHistory(show: ShowId, knownEpoch: number, knownNumber: number): Promise<HistoryPart | null> {
    const { connection, newEpoch } = this.#parts;
    return readHistory.run(connection.client, keysOfShow(show), knownEpoch, knownNumber, newEpoch());
  }

  async #writeCheckpoint(followed: FollowedShow): Promise<void> {
    if (this.#checkpointing.has(followed)) return;
    const { epoch, number } = followed.position;
    const base = followed.base();
    if (!base) return;
    const { statuses, sequences } = base;
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

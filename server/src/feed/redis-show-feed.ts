import type { ShowId } from '../platform/ids.ts';
import { defineScript } from '../platform/lua-script.ts';
import type { Outside } from '../platform/outside.ts';
import { keysOfShow, showKey } from '../platform/redis-keys.ts';
import { bytesOf, FieldReader, listOf, numberOf, PackingError } from '../platform/redis-packing.ts';
import type { RedisClient, RedisConnection } from '../platform/redis.ts';
import { retry } from '../platform/retry.ts';
import { feedEntriesOf } from './redis-feed-entry.ts';
import { type FeedBase, type FeedFollower, type ShowFeed, UnknownFeedError } from './show-feed.ts';

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

/** A part of a show's history, as `lua/read-history.lua` answers. */
interface HistoryPart {
  readonly epoch: number;
  /** Number of the entry that the base, or the follower, has; `entries` follow it without a gap. */
  readonly number: number;
  readonly base: Pick<FeedBase, 'statuses' | 'sequences'> | null;
  /** Packed. */
  readonly entries: readonly unknown[];
}

/**
 * Some thousand entries are read and applied in some 10 ms: that is what following costs at most. What is kept
 * before a checkpoint lets a node that was away for seconds go on without a new base.
 */
const CHECKPOINT_PACE: CheckpointPace = { every: 2_000, kept: 1_000 };
/** A wait ends by itself after this, and the histories are compared: nothing relies on being woken. */
const TAIL_WAIT_MS = 5_000;
/** Stream entries of one show in one answer. */
const ENTRIES_PER_READ = 500;
const BACKOFF = { firstMs: 50, maxMs: 1_000 };
/** Between two tries to wake a connection that may not have begun to wait yet. */
const WAKE_AGAIN_MS = 5;

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

const readHistory = defineScript<
  [knownEpoch: number, knownNumber: number, random: number],
  HistoryPart | null
>(lua('read-history'), (raw) => {
  if (raw === null) return null;
  const [epoch, number, base, ...entries] = listOf(raw);
  const [statuses, sequences] = base === null ? [] : listOf(base);
  return {
    epoch: numberOf(epoch),
    number: numberOf(number),
    base:
      base === null
        ? null
        : {
            statuses: Uint8Array.from(bytesOf(statuses)),
            sequences: new FieldReader(sequences).uint32s(),
          },
    entries,
  };
});

const writeCheckpoint = defineScript<
  [epoch: number, number: number, statuses: Uint8Array, sequences: Uint8Array, kept: number],
  number | null
>(lua('write-checkpoint'), (raw) => (raw === null ? null : numberOf(raw)));

/**
 * Follows the streams that the scripts write. Reading a stream misses nothing, unlike publish and subscribe. A base
 * is a checkpoint and the entries after it; checkpoints are written by whichever node has gone far enough beyond
 * the last one, and only behind one is a stream cut. One connection waits for all shows of a node; on Redis
 * Cluster, where a command can't name streams of several slots, one per show.
 */
export class RedisShowFeed implements ShowFeed {
  readonly #parts: RedisShowFeedParts;
  /** By show where each needs one of its own. */
  readonly #tails = new Map<ShowId | 'all', FeedTail>();

  constructor(parts: RedisShowFeedParts) {
    // Nodes read the same entries at the same time; they shouldn't all write the same checkpoint.
    const { every, kept } = parts.checkpoints ?? CHECKPOINT_PACE;
    const checkpoints = { every: Math.round(every * (1 + parts.outside.random() / 2)), kept };
    this.#parts = { ...parts, checkpoints };
  }

  async read(show: ShowId): Promise<Uint8Array> {
    const { base } = await seatsNow(this.#parts, show);
    return base.statuses;
  }

  async follow(show: ShowId, follower: FeedFollower): Promise<() => void> {
    const following = await Following.begin(show, this.#parts, follower);
    const key = this.#parts.connection.isCluster ? show : 'all';
    const tail = this.#tails.get(key) ?? new FeedTail(this.#parts);
    this.#tails.set(key, tail);
    tail.add(following);
    return () => {
      following.end();
      if (!tail.remove(following)) return;
      tail.stop();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
  }

  /** The epoch that a show is followed in; 0 if it isn't. */
  epochOf(show: ShowId): number {
    const tail = this.#tails.get(show) ?? this.#tails.get('all');
    return tail?.followingOf(show)?.position.epoch ?? 0;
  }

  /** Ends every following. */
  close(): void {
    for (const tail of this.#tails.values()) tail.stop();
    this.#tails.clear();
  }
}

function historyAfter(
  { connection, newEpoch }: RedisShowFeedParts,
  show: ShowId,
  epoch: number,
  number: number,
) {
  return readHistory.run(connection.client, keysOfShow(show), epoch, number, newEpoch());
}

/** The seats as they are now, after entry `number`, and the checkpoint they were made from. Rejects without a history. */
async function seatsNow(
  parts: RedisShowFeedParts,
  show: ShowId,
  sectionOf?: Uint16Array,
): Promise<{ readonly base: FeedBase; readonly checkpoint: number; readonly number: number }> {
  const part = await historyAfter(parts, show, 0, 0);
  if (!part?.base) throw new UnknownFeedError(show);
  const { epoch, number: checkpoint, entries } = part;
  const statuses = part.base.statuses;
  const sequences = [...part.base.sequences];
  for (const { seat, status } of entries
    .flatMap((bytes) => feedEntriesOf(bytes))
    .flatMap((one) => one.changes)) {
    statuses[seat] = status;
    const section = sectionOf?.[seat] ?? 0;
    sequences[section] = (sequences[section] ?? 0) + 1;
  }
  return { base: { epoch, statuses, sequences }, checkpoint, number: checkpoint + entries.length };
}

/**
 * How far a follower has heard of one show. Everything read goes through `take` or `catchUp`, which use an entry only if
 * it is the very next one: nothing is told twice and no gap is passed over [P5], whoever read what first. Every node
 * counts the sequences from the same entries, so they are the same everywhere, and no script has to count them.
 */
class Following {
  readonly show: ShowId;
  readonly #parts: RedisShowFeedParts;
  #follower: FeedFollower | null;
  #epoch: number;
  #number: number;
  /** Number of the newest checkpoint known of. */
  #checkpoint: number;
  #isWritingCheckpoint = false;

  private constructor(
    show: ShowId,
    parts: RedisShowFeedParts,
    follower: FeedFollower,
    { base, checkpoint, number }: Awaited<ReturnType<typeof seatsNow>>,
  ) {
    this.show = show;
    this.#parts = parts;
    this.#follower = follower;
    this.#epoch = base.epoch;
    this.#number = number;
    this.#checkpoint = checkpoint;
    follower.onBase(base);
  }

  /** Begins with the seats as they are now: what was said before is nothing to whoever begins. */
  static async begin(show: ShowId, parts: RedisShowFeedParts, follower: FeedFollower): Promise<Following> {
    return new Following(show, parts, follower, await seatsNow(parts, show, follower.sectionOf));
  }

  /** Up to where the stream was read. */
  get position(): { readonly epoch: number; readonly number: number } {
    return { epoch: this.#epoch, number: this.#number };
  }

  end(): void {
    this.#follower = null;
  }

  /** Reads what is missing up to this moment. */
  async catchUp(): Promise<void> {
    const part = await historyAfter(this.#parts, this.show, this.#epoch, this.#number);
    if (!part) {
      this.#parts.onHistoryLost?.(this.show);
    } else if (part.base) {
      // Given only where nothing else helps: taken whatever it is called, or an epoch that comes twice would keep old
      // seats on every screen.
      this.#epoch = part.epoch;
      this.#number = part.number;
      this.#checkpoint = part.number;
      this.#follower?.onBase({ epoch: part.epoch, ...part.base });
      this.#tell(part.entries);
    } else if (part.epoch === this.#epoch && part.number <= this.#number) {
      this.#tell(part.entries.slice(this.#number - part.number));
    }
  }

  /** Uses entries in their order; false if they don't go on where this one stands: then it has to catch up. */
  take(entries: readonly ReturnType<typeof streamEntryOf>[]): boolean {
    const next: unknown[] = [];
    let isWhole = true;
    for (const { epoch, number, bytes } of entries) {
      const expected = this.#number + next.length + 1;
      isWhole = epoch === this.#epoch && number <= expected;
      if (!isWhole) break;
      if (number === expected) next.push(bytes);
    }
    this.#tell(next);
    return isWhole;
  }

  #tell(packed: readonly unknown[]): void {
    if (packed.length === 0) return;
    const entries = packed.flatMap((bytes) => feedEntriesOf(bytes, this.#parts.onUnknownNotice));
    this.#number += packed.length;
    if (entries.length > 0) this.#follower?.onEntries(entries);
    void this.#writeCheckpoint();
  }

  /** Where this one is far beyond the newest checkpoint: keeps what the follower has heard as the next one. */
  async #writeCheckpoint(): Promise<void> {
    const { connection, checkpoints = CHECKPOINT_PACE, onTrouble } = this.#parts;
    const [epoch, number] = [this.#epoch, this.#number];
    if (!this.#follower || this.#isWritingCheckpoint || number - this.#checkpoint < checkpoints.every) return;
    this.#isWritingCheckpoint = true;
    try {
      const { statuses, sequences } = this.#follower.base();
      const there = await writeCheckpoint.run(
        connection.client,
        keysOfShow(this.show),
        epoch,
        number,
        statuses,
        Buffer.from(Uint32Array.from(sequences).buffer),
        checkpoints.kept,
      );
      if (there !== null && epoch === this.#epoch) this.#checkpoint = Math.max(this.#checkpoint, there);
    } catch (cause) {
      onTrouble(cause);
    } finally {
      this.#isWritingCheckpoint = false;
    }
  }
}

/** Waits for new entries of any number of shows on a connection of its own, and hands them on. */
class FeedTail {
  readonly #parts: RedisShowFeedParts;
  /** Waits most of the time; another connection wakes it. */
  readonly #waiting: RedisClient;
  readonly #followings = new Set<Following>();
  readonly #stopping = new AbortController();
  #isRunning = false;
  #connectionId: number | null = null;
  /** Rises with each following; the wait under way knows those of `#waitsFor`. */
  #revision = 0;
  #waitsFor = 0;

  constructor(parts: RedisShowFeedParts) {
    this.#parts = parts;
    this.#waiting = parts.connection.waiting(TAIL_WAIT_MS);
  }

  add(following: Following): void {
    this.#followings.add(following);
    this.#revision += 1;
    if (this.#isRunning) this.#wake();
    else void this.#run();
  }

  /** True if it was the last one. */
  remove(following: Following): boolean {
    return this.#followings.delete(following) && this.#followings.size === 0;
  }

  followingOf(show: ShowId): Following | undefined {
    return [...this.#followings].find((following) => following.show === show);
  }

  stop(): void {
    this.#stopping.abort();
    this.#waiting.disconnect();
  }

  get #isOver(): boolean {
    return this.#stopping.signal.aborted || this.#followings.size === 0;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { outside, onTrouble } = this.#parts;
    const readOn = async (): Promise<void> => {
      try {
        await this.#readOnce();
      } catch (cause) {
        this.#connectionId = null;
        if (!this.#isOver) throw cause;
      }
    };
    this.#isRunning = true;
    while (!this.#isOver) {
      // Rejects only when it is ended amid a pause.
      await retry(outside, { backoff: BACKOFF, signal, onTrouble }, readOn).catch(() => undefined);
    }
    this.#isRunning = false;
  }

  async #readOnce(): Promise<void> {
    if (this.#connectionId === null) {
      if (this.#waiting.status === 'wait') await this.#waiting.connect();
      const id = Number(await this.#waiting.call('CLIENT', 'ID'));
      // What was there while nobody waited. Whoever answers now may be another server, with another history.
      await this.#compareAll();
      this.#connectionId = id;
    }
    this.#waitsFor = this.#revision;
    const byKey = Map.groupBy(this.#followings, ({ show }) => showKey(show, 'feed'));
    const positions = Array.from(
      byKey.values(),
      ([first]) => `${first?.position.epoch}-${first?.position.number}`,
    );
    const block = [
      'COUNT',
      ENTRIES_PER_READ,
      'BLOCK',
      TAIL_WAIT_MS,
      'STREAMS',
      ...byKey.keys(),
      ...positions,
    ];
    const answer = await this.#waiting.callBuffer('XREAD', block);
    if (answer === null) {
      if (this.#waitsFor === this.#revision) await this.#compareAll();
      return;
    }
    for (const one of listOf(answer)) {
      const [key, raw] = listOf(one);
      const entries = listOf(raw).map(streamEntryOf);
      for (const following of byKey.get(String(key)) ?? []) {
        if (!following.take(entries)) await following.catchUp();
      }
    }
  }

  async #compareAll(): Promise<void> {
    for (const following of this.#followings) await following.catchUp();
  }

  /** Ends the wait under way, so that the next one is for the shows as they are now. */
  #wake(): void {
    const id = this.#connectionId;
    if (this.#stopping.signal.aborted || id === null || this.#waitsFor === this.#revision) return;
    // It may be about to wait, and not be waiting yet. Redis being away ends its wait by itself.
    this.#parts.connection.client.call('CLIENT', 'UNBLOCK', id).catch(() => undefined);
    this.#parts.outside.clock.after(WAKE_AGAIN_MS, () => this.#wake());
  }
}

/** An entry of the stream as it was read; `bytes` are packed. */
function streamEntryOf(entry: unknown) {
  const [id, fields] = listOf(entry);
  const [epoch, number] = String(id).split('-').map(Number);
  if (epoch === undefined || number === undefined) throw new PackingError('a stream entry', entry);
  return { epoch, number, bytes: listOf(fields)[1] };
}

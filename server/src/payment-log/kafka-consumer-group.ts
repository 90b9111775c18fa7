import type { Consumer, KafkaMessage } from 'kafkajs';
import { KAFKA_RETRY, type KafkaConnection } from '../platform/kafka.ts';
import type { Outside } from '../platform/outside.ts';
import { repeat } from '../platform/repeat.ts';
import { backoffMs, pause } from '../platform/retry.ts';

/** A record taken from a partition, and whether it is settled. */
export interface KafkaPlace {
  readonly partition: Partition;
  readonly message: KafkaMessage;
  isSettled: boolean;
}

interface Partition {
  readonly number: number;
  /** From the first one on that isn't settled, in their order. */
  readonly open: Set<KafkaPlace>;
  last: number;
  committable: number | null;
}

/** Records of a partition kept uncommitted behind one that isn't settled: what a crash makes come again [P7]. */
const SPAN_MAX = 20_000;

/**
 * How far partitions are consumed. Records are settled in any order, but Kafka keeps one number per partition, so only
 * what is settled without a gap from the start may be committed [P2].
 */
export class KafkaProgress {
  readonly #partitions = new Map<number, Partition>();

  /** Takes a partition's next records in. Offsets rise, with gaps where Kafka has them. */
  take(number: number, messages: readonly KafkaMessage[]): KafkaPlace[] {
    return messages.map((message) => {
      const offset = Number(message.offset);
      let partition = this.#partitions.get(number);
      // Going back happens when the offsets were lost or the topic was made anew: what was counted is worth nothing.
      if (!partition || offset <= partition.last) {
        partition = { number, open: new Set(), last: offset, committable: null };
        this.#partitions.set(number, partition);
      }
      partition.last = offset;
      const place = { partition, message, isSettled: false };
      partition.open.add(place);
      return place;
    });
  }

  settle(places: readonly KafkaPlace[]): void {
    for (const place of places) {
      place.isSettled = true;
      const { partition } = place;
      for (const first of partition.open) {
        if (!first.isSettled) break;
        partition.open.delete(first);
        partition.committable = Number(first.message.offset) + 1;
      }
    }
  }

  /** Partitions were dealt out anew: nothing that was taken before may be committed any more. */
  startOver(): void {
    this.#partitions.clear();
  }

  /** The offset that consuming each partition may go on from: everything below is settled. */
  committable(): ReadonlyMap<number, number> {
    const offsets = new Map<number, number>();
    for (const [number, { committable }] of this.#partitions) {
      if (committable !== null) offsets.set(number, committable);
    }
    return offsets;
  }

  /** Whether no more records of the partition should come for now; settled ones behind an open one count, too. */
  isFull(number: number): boolean {
    return (this.#partitions.get(number)?.open.size ?? 0) >= SPAN_MAX;
  }
}

export interface KafkaConsumerGroupParts {
  readonly kafka: KafkaConnection;
  readonly topic: string;
  readonly group: string;
  /** Gets records of a partition in their order and must not keep the fetching waiting. */
  readonly take: (places: readonly KafkaPlace[]) => void;
  /** Partitions were dealt out: what was taken before may be somebody else's, what stays comes again. */
  readonly dealt: () => void;
  /** Whether no more records should come for now, of whatever partition. */
  readonly isFull: () => boolean;
  readonly outside: Outside;
}

/**
 * How long a fetch waits for records. Short, because a broker answers a connection's requests one after another:
 * a commit behind a fetch waits for it. Records that come end the wait.
 */
const FETCH_WAIT_MS = 100;
/**
 * Between two fetches, or every payment that comes alone has a fetch of its own, and a look into the database.
 */
const FETCH_GATHER_MS = 8;
/** What one fetch brings: a few hundred payments per partition. */
const PARTITION_BYTES_MAX = 128 * 1_024;
const FETCH_BYTES_MAX = 1_024 * 1_024;
/** Batches of one fetch, one per partition, that are taken at once. */
const BATCHES_MAX = 64;
/** A worker that died is noticed after this, and its payments go to others. */
const SESSION_MS = 6_000;
const HEARTBEAT_MS = 1_500;
const REBALANCE_MS = 20_000;
/**
 * Commits gather what was settled meanwhile: each is a write to disk, and holds up the fetch behind it. Offsets that
 * a crash loses make payments come again that are found final.
 */
const COMMIT_GATHER_MS = 200;
const COMMIT_AGAIN_MS = 1_000;
/** A consumer that lived so long starts again without having to wait for its earlier crashes. */
const STABLE_AFTER_MS = 30_000;

/**
 * A member of a consumer group for as long as it isn't stopped: kafkajs's consumer, made anew whenever it crashes.
 * Offsets are committed as they become committable, one commit at a time; a commit that fails is made good by the
 * next, and lost ones only make records come again.
 */
export class KafkaConsumerGroup {
  readonly #parts: KafkaConsumerGroupParts;
  #consumer: Consumer | null = null;
  #assigned: readonly number[] = [];
  readonly #progress = new KafkaProgress();
  readonly #committed = new Map<number, number>();
  readonly #stopping = new AbortController();
  #stopCommits: () => Promise<void> = async () => undefined;
  #cancelRestart: (() => void) | null = null;
  #crashes = 0;
  #joinedAt = 0;

  constructor(parts: KafkaConsumerGroupParts) {
    this.#parts = parts;
  }

  /** Resolves when the first try to join has ended; where it failed, others follow. */
  start(): Promise<void> {
    const { clock, report } = this.#parts.outside;
    const notYet = async (cause: unknown): Promise<void> => {
      report('offsets could not be committed yet', cause);
      await pause(clock, COMMIT_AGAIN_MS, this.#stopping.signal);
    };
    const onError = (): void => undefined;
    this.#stopCommits = repeat(clock, COMMIT_GATHER_MS, () => this.#commit().catch(notYet), onError);
    return this.#join();
  }

  async #join(): Promise<void> {
    const { group, kafka, topic } = this.#parts;
    const consumer = kafka.newClient().consumer({
      groupId: group,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      maxBytes: FETCH_BYTES_MAX,
      // kafkajs would begin anew after some errors and give up after others; here one rule serves for all.
      retry: { restartOnFailure: async () => false },
    });
    this.#consumer = consumer;
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#restart(consumer, payload.error));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (this.#consumer === consumer) this.#dealt(payload.memberAssignment[topic] ?? []);
    });
    try {
      await consumer.connect();
      if (this.#consumer !== consumer) {
        await consumer.disconnect();
        return;
      }
      // A group without offsets starts with the oldest record: rather a payment again than never [P2].
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        // All batches of a fetch at once; the next one comes when all have returned.
        partitionsConsumedConcurrently: BATCHES_MAX,
        eachBatch: async ({ batch }) => {
          if (this.#consumer !== consumer) return;
          this.#parts.take(this.#progress.take(batch.partition, batch.messages));
          this.adjust();
          await pause(this.#parts.outside.clock, FETCH_GATHER_MS);
        },
      });
      // kafkajs doesn't stop a consumer that is just joining.
      if (this.#consumer !== consumer) await consumer.disconnect();
    } catch (cause) {
      await consumer.disconnect().catch(() => undefined);
      this.#restart(consumer, cause);
    }
  }

  /** What these records asked for is done: they may be committed. */
  settle(places: readonly KafkaPlace[]): void {
    this.#progress.settle(places);
  }

  /** Call when room was made or used: pauses and resumes. */
  adjust(): void {
    const consumer = this.#consumer;
    if (!consumer) return;
    const { outside, topic } = this.#parts;
    const isFull = (partition: number): boolean => this.#parts.isFull() || this.#progress.isFull(partition);
    try {
      const paused = consumer.paused().flatMap(({ partitions }) => partitions);
      const toPause = this.#assigned.filter((one) => isFull(one) && !paused.includes(one));
      const toResume = paused.filter((one) => !isFull(one));
      if (toPause.length > 0) consumer.pause([{ topic, partitions: toPause }]);
      if (toResume.length > 0) consumer.resume([{ topic, partitions: toResume }]);
    } catch (cause) {
      // kafkajs refuses both while it is crashing, and its successor begins with nothing paused.
      outside.report('fetching could not be paused or resumed', cause);
    }
  }

  /** Commits what can be committed and leaves the group, so that others take over at once. */
  async stop(): Promise<void> {
    const { report } = this.#parts.outside;
    this.#stopping.abort();
    this.#cancelRestart?.();
    await this.#stopCommits();
    await this.#commit().catch((cause: unknown) =>
      report('the last offsets could not be committed; their payments come again', cause),
    );
    const consumer = this.#consumer;
    this.#consumer = null;
    await consumer
      ?.disconnect()
      .catch((cause: unknown) => report('a consumer could not leave its group', cause));
  }

  #dealt(partitions: readonly number[]): void {
    this.#joinedAt = this.#parts.outside.clock.now();
    this.#assigned = partitions;
    this.#committed.clear();
    this.#progress.startOver();
    this.#parts.dealt();
    this.adjust();
  }

  /** Called for crashes as well as for a start that failed. */
  #restart(consumer: Consumer, cause: unknown): void {
    if (this.#stopping.signal.aborted || this.#consumer !== consumer) return;
    const { clock, random, report } = this.#parts.outside;
    this.#consumer = null;
    this.#assigned = [];
    this.#crashes = clock.now() - this.#joinedAt > STABLE_AFTER_MS ? 1 : this.#crashes + 1;
    const waitMs = backoffMs(KAFKA_RETRY, this.#crashes, random());
    report(`the consumer of ${this.#parts.topic} failed and starts again in ${waitMs} ms`, cause);
    this.#cancelRestart = clock.after(waitMs, () => void this.#join());
  }

  /** What became committable since the last time; nothing, mostly. */
  async #commit(): Promise<void> {
    const consumer = this.#consumer;
    const isNew = ([partition, offset]: readonly [number, number]): boolean =>
      this.#committed.get(partition) !== offset;
    const offsets = [...this.#progress.committable()].filter(isNew);
    if (!consumer || offsets.length === 0) return;
    const { topic } = this.#parts;
    await consumer.commitOffsets(
      offsets.map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
    );
    for (const [partition, offset] of offsets) this.#committed.set(partition, offset);
  }
}

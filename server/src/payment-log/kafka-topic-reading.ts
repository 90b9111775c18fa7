import { randomUUID } from 'node:crypto';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import type { KafkaConnection } from '../platform/kafka.ts';
import type { Outside } from '../platform/outside.ts';
import { answerWithin, type Backoff, retry } from '../platform/retry.ts';

/** A topic from one offset to another, the second not included, by partition. Empty partitions are left out. */
type TopicRange = ReadonlyMap<number, { readonly from: number; readonly to: number }>;

const READ_WITHIN_MS = 60_000;
const FETCH_WAIT_MS = 50;

/** A broker that has just started, or lost another, knows a group again within seconds. */
const COORDINATOR_ATTEMPTS_MAX = 40;
const COORDINATOR_RETRY: Backoff = { firstMs: 250, maxMs: 350 };

export interface TopicReading {
  readonly topic: string;
  /** What this group has not committed is read. */
  readonly group: string;
  /** Whether it is committed then, by a member of the group; else others of the group get it all the same. */
  readonly commits: boolean;
  readonly handle: (records: readonly KafkaMessage[]) => Promise<void>;
}

/**
 * Reads what a group has not committed of a topic as it is now, once, in order within each partition. Waits for a
 * coordinator that is just being found. Resolves when all was handled; rejects when handling rejects, or after a minute.
 */
export async function readUncommitted(
  kafka: KafkaConnection,
  outside: Pick<Outside, 'clock' | 'random'>,
  { topic, group, commits, handle }: TopicReading,
): Promise<void> {
  const isFinal = (cause: unknown): boolean => !(cause instanceof kafkajs.KafkaJSError && cause.retriable);
  const terms = { backoff: COORDINATOR_RETRY, attemptsMax: COORDINATOR_ATTEMPTS_MAX, isFinal };
  const range = await retry(outside, terms, () => uncommittedRange(kafka, topic, group));
  if (range.size === 0) return;
  // A group that commits nothing is forgotten by the brokers when its only member has left.
  const groupId = commits ? group : `${group}.look.${randomUUID()}`;
  const settings = { groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: FETCH_WAIT_MS };
  const consumer = kafka.newClient().consumer(settings);
  const next = new Map([...range].map(([partition, { from }]) => [partition, from]));
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  let assigned: readonly number[] = [];
  const endIfRead = (): void => {
    const isRead = (partition: number): boolean =>
      (next.get(partition) ?? 0) >= (range.get(partition)?.to ?? 0);
    if (assigned.every(isRead)) resolve(undefined);
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic] ?? [];
    endIfRead();
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        const { from, to } = range.get(partition) ?? { from: 0, to: 0 };
        const wanted = messages.filter(({ offset }) => Number(offset) >= from && Number(offset) < to);
        const last = wanted.at(-1);
        if (!last) return;
        try {
          await handle(wanted);
          const offset = Number(last.offset) + 1;
          if (commits) await consumer.commitOffsets([{ topic, partition, offset: String(offset) }]);
          next.set(partition, offset);
          endIfRead();
        } catch (cause) {
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        }
      },
    });
    for (const [partition, { from }] of range) consumer.seek({ topic, partition, offset: String(from) });
    await answerWithin(outside.clock, READ_WITHIN_MS, `reading ${topic}`, () => promise);
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
}

async function uncommittedRange(kafka: KafkaConnection, topic: string, group: string): Promise<TopicRange> {
  // A client of its own for each try: one that has asked the wrong broker would ask it again.
  const admin = kafka.newClient().admin();
  try {
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    if (ends.every(({ low, high }) => low === high)) return new Map();
    const committed = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const offsets = new Map(
      committed.flatMap(({ partitions }) =>
        partitions.map(({ partition, offset }) => [partition, Number(offset)]),
      ),
    );
    // Without a committed offset it is -1, and one that is older than the oldest record is of no use either.
    const ranges = ends.map(({ partition, low, high }) => {
      const from = Math.max(offsets.get(partition) ?? -1, Number(low));
      return [partition, { from, to: Number(high) }] as const;
    });
    return new Map(ranges.filter(([, { from, to }]) => from < to));
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

import { randomUUID } from 'node:crypto';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Outside } from '../platform/outside.ts';
import type { KafkaConnection } from '../platform/kafka.ts';
import { errorText } from './error-text.ts';
import type { RecordPlace } from './kafka-partition-progress.ts';
import type { KafkaSender } from '../platform/kafka-sender.ts';
import type { KafkaTopics } from './kafka-topics.ts';
import type { DeadLetter } from './payment-log.ts';
import type { DeadLetterReason } from './payment-deliveries.ts';
import { readTopic, uncommittedRange } from './kafka-topic-reading.ts';

export interface KafkaDeadLettersParts {
  readonly kafka: KafkaConnection;
  readonly sender: KafkaSender;
  readonly topics: KafkaTopics;
  readonly outside: Outside;
}

const HEADER_PREFIX = 'dead-letter-';
/** How often the record was put aside; the only header that outlives a replay. */
const COUNT_HEADER = `${HEADER_PREFIX}count`;

/**
 * Payments that can't be processed: put aside with what went wrong, so that a person may look, mend the cause and
 * replay them. A record keeps its key, value and headers as they were.
 */
export class KafkaDeadLetters {
  readonly #parts: KafkaDeadLettersParts;

  constructor(parts: KafkaDeadLettersParts) {
    this.#parts = parts;
  }

  /** Resolves when the record is durable among the dead letters. */
  async bury(
    record: KafkaMessage,
    place: RecordPlace,
    reason: DeadLetterReason,
    cause: unknown,
  ): Promise<void> {
    const { outside, sender, topics } = this.#parts;
    const headers: IHeaders = {
      ...record.headers,
      [COUNT_HEADER]: String(Number(record.headers?.[COUNT_HEADER]?.toString() ?? '0') + 1),
      [`${HEADER_PREFIX}reason`]: reason,
      [`${HEADER_PREFIX}error`]: errorText(cause),
      [`${HEADER_PREFIX}at`]: new Date(outside.clock.now()).toISOString(),
      [`${HEADER_PREFIX}topic`]: topics.paymentRequests.name,
      [`${HEADER_PREFIX}partition`]: String(place.progress.partition),
      [`${HEADER_PREFIX}offset`]: String(place.offset),
    };
    await sender.send([{ topic: topics.deadLetters.name, key: record.key, value: record.value, headers }]);
  }

  async list(): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await this.#read(false, async (records) => {
      for (const { headers = {}, value } of records) {
        const header = (name: string): string => headers[`${HEADER_PREFIX}${name}`]?.toString() ?? '';
        const letter = { reason: header('reason'), error: header('error'), text: value?.toString() ?? '' };
        letters.push({ ...letter, buriedAt: Date.parse(header('at')) });
      }
    });
    return letters;
  }

  /** If it ends half way, or two replay at once, a payment may be handed over twice, which settles it once. */
  async replay(): Promise<number> {
    const { sender, topics } = this.#parts;
    const topic = topics.paymentRequests.name;
    let count = 0;
    await this.#read(true, async (records) => {
      await sender.send(
        records.map(({ headers, key, value }) => ({
          topic,
          key,
          value,
          headers: withoutDeath(headers ?? {}),
        })),
      );
      count += records.length;
    });
    return count;
  }

  /** Reads what was not replayed yet; with `commits` it then counts as replayed. */
  async #read(commits: boolean, handle: (records: readonly KafkaMessage[]) => Promise<void>): Promise<void> {
    const { kafka, outside, topics } = this.#parts;
    const topic = topics.deadLetters.name;
    const replaying = `${topics.workers}.replay`;
    const range = await uncommittedRange(kafka, outside, topic, replaying);
    // Who only looks must not be dealt what a replay reads.
    const group = commits ? replaying : `${replaying}.list.${randomUUID()}`;
    await readTopic(kafka, outside, { topic, range, group, commits, handle });
  }
}

function withoutDeath(headers: IHeaders): IHeaders {
  const kept = Object.entries(headers).filter(
    ([name]) => name === COUNT_HEADER || !name.startsWith(HEADER_PREFIX),
  );
  return Object.fromEntries(kept);
}

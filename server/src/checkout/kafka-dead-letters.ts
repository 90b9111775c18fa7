import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { KafkaConnection } from '../platform/kafka.ts';
import { errorText } from './error-text.ts';
import type { RecordPlace } from './kafka-partition-progress.ts';
import type { KafkaSender } from './kafka-sender.ts';
import type { KafkaTopics } from './kafka-topics.ts';
import type { DeadLetterReason } from './payment-deliveries.ts';
import { readTopic, uncommittedRange } from './kafka-topic-reading.ts';

export interface KafkaDeadLettersParts {
  readonly kafka: KafkaConnection;
  readonly sender: KafkaSender;
  readonly topics: KafkaTopics;
  readonly clock: Clock;
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
    const { clock, sender, topics } = this.#parts;
    const headers: IHeaders = {
      ...record.headers,
      [COUNT_HEADER]: String(Number(record.headers?.[COUNT_HEADER]?.toString() ?? '0') + 1),
      [`${HEADER_PREFIX}reason`]: reason,
      [`${HEADER_PREFIX}error`]: errorText(cause),
      [`${HEADER_PREFIX}at`]: new Date(clock.now()).toISOString(),
      [`${HEADER_PREFIX}topic`]: topics.paymentRequests.name,
      [`${HEADER_PREFIX}partition`]: String(place.progress.partition),
      [`${HEADER_PREFIX}offset`]: String(place.offset),
    };
    await sender.send([{ topic: topics.deadLetters.name, key: record.key, value: record.value, headers }]);
  }

  /**
   * Hands every dead letter that wasn't replayed yet to the workers again and returns how many. One that fails again
   * comes back to the dead letters, for a later replay. If it ends half way, or two replay at once, a payment may be
   * handed over twice, which settles it once.
   */
  async replay(): Promise<number> {
    const { clock, kafka, sender, topics } = this.#parts;
    const topic = topics.deadLetters.name;
    const group = `${topics.workers}.replay`;
    let count = 0;
    await readTopic(kafka, clock, {
      topic,
      range: await uncommittedRange(kafka, clock, topic, group),
      group,
      commits: true,
      handle: async (records) => {
        await sender.send(
          records.map(({ headers, key, value }) => ({
            topic: topics.paymentRequests.name,
            key,
            value,
            headers: withoutDeath(headers ?? {}),
          })),
        );
        count += records.length;
      },
    });
    return count;
  }
}

function withoutDeath(headers: IHeaders): IHeaders {
  const kept = Object.entries(headers).filter(
    ([name]) => name === COUNT_HEADER || !name.startsWith(HEADER_PREFIX),
  );
  return Object.fromEntries(kept);
}

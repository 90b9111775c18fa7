import { type Message, Partitioners, type Producer } from 'kafkajs';
import { KAFKA_RETRY, type KafkaConnection } from './kafka.ts';
import type { Outside } from './outside.ts';
import { GatheredCalls } from './gathered-calls.ts';
import { answerWithin, retry } from './retry.ts';

export interface KafkaRecord extends Message {
  readonly topic: string;
  /** Decides the partition: records of one key stay in order. */
  readonly key: string | Buffer | null;
}

export interface KafkaSenderParts {
  readonly kafka: KafkaConnection;
  readonly outside: Outside;
}

/** Kafka surely did not get the records. After any other failure of `send` it may have them or not. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/** Records of one send, and those that may wait for theirs [P7]. */
const BATCH_MAX = 1_000;
const WAITING_MAX = 20_000;

/** How long records wait for a producer that is being made. With the next, shorter than whoever pays waits. */
const PRODUCER_WITHIN_MS = 500;
/** How long a send may take, the library's own tries included. */
const SEND_WITHIN_MS = 3_500;
/** How long the leader of a partition waits for its followers. */
const REPLICATED_WITHIN_MS = 3_000;
/** Within that, broken connections and changed leaders are met by trying again with the same sequence numbers. */
const SEND_RETRY = { retries: 8, initialRetryTime: 50, maxRetryTime: 500 };
const ALL_REPLICAS = -1;

/**
 * Sends records to Kafka, durable before it says so (acknowledged by all replicas in sync). What comes while a send is under way,
 * or in the same turn of the event loop, shares the next one: kafkajs itself gathers nothing, and its idempotent
 * producer must have one send at a time.
 *
 * After a failed send the producer is given up and another made. A broker knows records by the producer's sequence
 * numbers, and kafkajs takes the numbers of a failed send back: had the broker got those records after all, it
 * would take the next ones for their repetition, acknowledge them, and drop them.
 */
export class KafkaSender {
  readonly #parts: KafkaSenderParts;
  readonly #sends: GatheredCalls<KafkaRecord, null>;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #producer: Producer | null = null;
  #making: Promise<Producer> | null = null;
  /** Why no producer could be made when it was last tried; null while there is no reason to doubt. */
  #trouble: unknown = null;
  #waiting = 0;

  constructor(parts: KafkaSenderParts) {
    this.#parts = parts;
    this.#sends = new GatheredCalls((records) => this.#send(records), parts.outside.nextTurn, {
      itemsMax: BATCH_MAX,
      callsMax: 1,
    });
  }

  /**
   * Resolves when every record is durable. Rejects with `NotSentError` if surely none of them is: Kafka can't be
   * reached, or too many records wait already.
   */
  async send(records: readonly KafkaRecord[]): Promise<void> {
    if (this.#closing.signal.aborted) throw new NotSentError('the sender is closed');
    if (this.#trouble !== null) throw new NotSentError("Kafka can't be reached", { cause: this.#trouble });
    if (this.#waiting + records.length > WAITING_MAX) {
      throw new NotSentError(`${this.#waiting} records wait to be sent to Kafka already`);
    }
    this.#waiting += records.length;
    const sent = Promise.allSettled(records.map((record) => this.#sends.add(record)));
    this.#underWay.add(sent);
    const results = await sent;
    this.#underWay.delete(sent);
    this.#waiting -= records.length;
    const failures = results
      .filter((result) => result.status === 'rejected')
      .map((result): unknown => result.reason);
    if (failures.length === 0) return;
    // With some of them sent, the fate of the whole is not "surely none".
    const unknown = failures.find((failure) => !(failure instanceof NotSentError));
    if (unknown === undefined && failures.length === records.length) throw failures[0];
    throw new Error('Kafka did not acknowledge every record', { cause: unknown ?? failures[0] });
  }

  /** Makes the producer, so that the first record needn't wait for it. Where that fails it goes on being tried. */
  async open(): Promise<void> {
    await this.#readyProducer().catch(() => undefined);
  }

  /** Takes nothing more, and resolves when what was under way has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#underWay);
    await this.#producer?.disconnect();
    this.#producer = null;
  }

  async #send(records: readonly KafkaRecord[]): Promise<readonly null[]> {
    const producer = await this.#readyProducer();
    const sending = producer.sendBatch({
      acks: ALL_REPLICAS,
      timeout: REPLICATED_WITHIN_MS,
      topicMessages: [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, messages]) => ({
        topic,
        messages,
      })),
    });
    try {
      await answerWithin(this.#parts.outside.clock, SEND_WITHIN_MS, 'Kafka', () => sending);
    } catch (cause) {
      this.#producer = null;
      // Disconnected only when its send has ended: a producer that still tries would connect again.
      void sending.catch(() => undefined).then(() => producer.disconnect().catch(() => undefined));
      void this.open();
      throw cause;
    }
    return records.map(() => null);
  }

  async #readyProducer(): Promise<Producer> {
    if (this.#producer) return this.#producer;
    this.#making ??= this.#makeProducer().finally(() => (this.#making = null));
    const making = this.#making;
    try {
      return await answerWithin(this.#parts.outside.clock, PRODUCER_WITHIN_MS, 'Kafka', () => making);
    } catch (cause) {
      throw new NotSentError("Kafka can't be reached", { cause: this.#trouble ?? cause });
    }
  }

  /** Tries until there is one, or the sender is closed. */
  async #makeProducer(): Promise<Producer> {
    const { report } = this.#parts.outside;
    const onTrouble = (cause: unknown, againInMs: number): void => {
      this.#trouble = cause;
      report(`nothing can be sent to Kafka; trying again in ${againInMs} ms`, cause);
    };
    const { signal } = this.#closing;
    const isFinal = (): boolean => signal.aborted;
    return retry(this.#parts.outside, { backoff: KAFKA_RETRY, signal, isFinal, onTrouble }, async () => {
      const producer = this.#parts.kafka.newClient().producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry: SEND_RETRY,
      });
      try {
        await producer.connect();
      } catch (cause) {
        await producer.disconnect().catch(() => undefined);
        throw cause;
      }
      this.#trouble = null;
      this.#producer = producer;
      return producer;
    });
  }
}

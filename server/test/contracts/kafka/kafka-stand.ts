import { randomUUID } from 'node:crypto';
import { Partitioners } from 'kafkajs';
import { type Random, systemRandom } from '@stampede/shared/platform/random.ts';
import { KafkaPaymentLog, type KafkaPaymentLogParts } from '../../../src/payment-log/kafka-payment-log.ts';
import { kafkaTopics, type KafkaTopics } from '../../../src/payment-log/kafka-topics.ts';
import { readUncommitted } from '../../../src/payment-log/kafka-topic-reading.ts';
import { connectKafka, type KafkaConnection } from '../../../src/platform/kafka.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { machineOutside } from '../../../src/platform/outside.ts';
import { records } from '../payment-requests.ts';

export const settingsOf = (broker: string) => ({ brokers: [broker], tls: false, credentials: null });

export interface TextRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

const outside = machineOutside(() => undefined);
let stands = 0;

/** Topics and a group of their own on a real broker, and what is made on them. */
export class KafkaStand {
  readonly kafka: KafkaConnection;
  readonly topics: KafkaTopics;
  readonly prefix: string;
  readonly reports: string[] = [];
  readonly #logs: KafkaPaymentLog[] = [];

  private constructor(prefix: string, kafka: KafkaConnection, topics: KafkaTopics) {
    this.prefix = prefix;
    this.kafka = kafka;
    this.topics = topics;
  }

  /** @param partitions of the topic of payments; with one, every record is in one order and in the others' way */
  static async open(broker: string, partitions: number): Promise<KafkaStand> {
    stands += 1;
    const prefix = `test-${String(process.pid)}-${String(stands)}.`;
    const planned = kafkaTopics(prefix);
    const topics = { ...planned, paymentRequests: { ...planned.paymentRequests, partitions } };
    const { paymentRequests, deadLetters, orderEvents } = topics;
    const kafka = await connectKafka(settingsOf(broker), [paymentRequests, deadLetters, orderEvents], {
      ...outside,
      logger: createLogger({ level: 'silent', readable: false }),
      onTrouble: () => undefined,
    });
    return new KafkaStand(prefix, kafka, topics);
  }

  /** A log that has seen nothing of the others: another process, as far as Kafka can tell. */
  newLog({
    random = systemRandom,
    ...more
  }: Partial<KafkaPaymentLogParts> & { readonly random?: Random } = {}): KafkaPaymentLog {
    const log = new KafkaPaymentLog({
      kafka: this.kafka,
      topics: this.topics,
      records,
      outside: { ...outside, random, report: (message) => void this.reports.push(message) },
      ...more,
    });
    this.#logs.push(log);
    return log;
  }

  /** Every record of a topic as it is now: its key, value and headers as text. */
  async recordsOf(topic: string): Promise<readonly TextRecord[]> {
    const records: TextRecord[] = [];
    const group = `${topic}.reader-${randomUUID()}`;
    await readUncommitted(this.kafka, outside, {
      topic,
      group,
      commits: false,
      handle: async (messages) => {
        for (const { key, value, headers = {} } of messages) {
          const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
          const record = { key: String(key), value: String(value) };
          records.push({ ...record, headers: Object.fromEntries(texts) as TextRecord['headers'] });
        }
      },
    });
    return records;
  }

  /** Puts a record into a topic as somebody else might. */
  async put(topic: string, record: TextRecord): Promise<void> {
    const producer = this.kafka.newClient().producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, messages: [{ ...record }] });
    await producer.disconnect();
  }

  async close(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
  }
}

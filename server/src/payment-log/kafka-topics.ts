import type { TopicPlan } from '../platform/kafka.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** So many workers share payments at most; every partition costs the brokers a little. */
const PARTITIONS = 12;

/** Where payments and their outcomes travel. */
export interface KafkaTopics {
  readonly paymentRequests: TopicPlan;
  readonly deadLetters: TopicPlan;
  readonly orderEvents: TopicPlan;
  /** The consumer group of the workers. */
  readonly workers: string;
}

/**
 * The topics and the group of one installation.
 * @param prefix goes before every name, so that several installations share a cluster; may be empty
 */
export function kafkaTopics(prefix: string): KafkaTopics {
  return {
    // Settled within a minute or two; a week is for a weekend without a database.
    paymentRequests: { name: `${prefix}payment.requests`, partitions: PARTITIONS, retentionMs: 7 * DAY_MS },
    // Few, and each waits for a person, who may be on holiday.
    deadLetters: { name: `${prefix}payment.requests.dlq`, partitions: 1, retentionMs: 90 * DAY_MS },
    orderEvents: { name: `${prefix}order.events`, partitions: PARTITIONS, retentionMs: 7 * DAY_MS },
    workers: `${prefix}payment.workers`,
  };
}

import type { KafkaConnection } from '../platform/kafka.ts';
import type { Outside } from '../platform/outside.ts';
import { type KafkaRecord, KafkaSender } from '../platform/kafka-sender.ts';
import type { Order } from './order-store.ts';
import type { OrderEvents } from './settlements.ts';

export interface KafkaOrderEventsParts {
  readonly kafka: KafkaConnection;
  /** The name of `order.events` in this installation. */
  readonly topic: string;
  readonly outside: Outside;
}

const SCHEMA = 'order-event/1';

/**
 * Outcomes of orders as records of `order.events`, those of one order in their order. At least once: readers know a
 * repetition by order and status.
 */
export class KafkaOrderEvents implements OrderEvents {
  readonly #topic: string;
  readonly #sender: KafkaSender;

  constructor(parts: KafkaOrderEventsParts) {
    this.#topic = parts.topic;
    this.#sender = new KafkaSender(parts);
  }

  async publish(orders: readonly Order[]): Promise<void> {
    await this.#sender.send(orders.map((order) => eventRecord(this.#topic, order)));
  }

  close(): Promise<void> {
    return this.#sender.close();
  }
}

/** What others need to know; neither who bought nor the codes that open a door [P6]. */
function eventRecord(topic: string, order: Order): KafkaRecord {
  const { id, show, status, seats, amount, currency, createdAt, settledAt, reason } = order;
  const event = { order: id, show, status, seats, amount, currency, createdAt, settledAt, reason };
  return { topic, key: id, value: JSON.stringify(event), headers: { schema: SCHEMA } };
}

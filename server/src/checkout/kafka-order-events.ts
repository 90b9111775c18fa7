import { KafkaSender, type KafkaSenderParts } from '../platform/kafka-sender.ts';
import type { Order } from './order-store.ts';
import type { OrderEvents } from './settlements.ts';

const SCHEMA = 'order-event/1';

/**
 * Outcomes of orders as records of `order.events`, those of one order in their order. At least once: readers know a
 * repetition by order and status.
 */
export class KafkaOrderEvents implements OrderEvents {
  readonly #topic: string;
  readonly #sender: KafkaSender;

  /** @param topic the name of `order.events` in this installation */
  constructor(topic: string, parts: KafkaSenderParts) {
    this.#topic = topic;
    this.#sender = new KafkaSender(parts);
  }

  /** Tells what others need to know; neither who bought nor the codes that open a door [P6]. */
  async publish(orders: readonly Order[]): Promise<void> {
    const records = orders.map((order) => {
      const { id, show, status, seats, amount, currency, createdAt, settledAt, reason } = order;
      const event = { order: id, show, status, seats, amount, currency, createdAt, settledAt, reason };
      return { topic: this.#topic, key: id, value: JSON.stringify(event), headers: { schema: SCHEMA } };
    });
    await this.#sender.send(records);
  }

  close(): Promise<void> {
    return this.#sender.close();
  }
}

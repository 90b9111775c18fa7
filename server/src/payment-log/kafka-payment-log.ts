import { randomUUID } from 'node:crypto';
import type { OrderId, ShowId } from '../platform/ids.ts';
import type { KafkaConnection } from '../platform/kafka.ts';
import type { Outside } from '../platform/outside.ts';
import { KafkaConsumerGroup } from './kafka-consumer-group.ts';
import { KafkaDeadLetters } from './kafka-dead-letters.ts';
import { KafkaDeliveries } from './kafka-deliveries.ts';
import { paymentRecord, recordOf } from './kafka-payment-record.ts';
import { KafkaSender, NotSentError } from '../platform/kafka-sender.ts';
import { readTopic, uncommittedRange } from './kafka-topic-reading.ts';
import type { KafkaTopics } from './kafka-topics.ts';
import type { PaymentCount } from './payment-deliveries.ts';
import type { PaymentRecords } from './payment-record.ts';
import {
  AppendRefusedError,
  type DeadLetter,
  type PaymentGiveUp,
  type PaymentHandler,
  type PaymentLog,
  type PaymentRequest,
} from './payment-log.ts';

export interface KafkaPaymentLogParts {
  readonly kafka: KafkaConnection;
  readonly topics: KafkaTopics;
  readonly records: PaymentRecords;
  /** Its `report` is told of what went wrong and is being tried again, or was put aside. */
  readonly outside: Outside;
  /** Told how many payments something happened to; for metrics. */
  readonly count?: (what: PaymentCount, payments: number) => void;
}

/**
 * The payment log on Kafka: any number of gateways append, and the workers of one group share what comes.
 *
 * If a process dies
 * - before Kafka acknowledged a record: nobody heard "accepted", and a repeat with the same key appends it again;
 * - as a worker, before its offset was committed: the group notices, and another worker gets the record again. So
 *   it gets those settled already behind it; the handler finds their orders final and changes nothing.
 *
 * An order repeated in the log comes to the handler once as long as the same worker has it in its memory; beyond
 * that, in another process or much later, the handler's own look into the database is what keeps it single.
 */
export class KafkaPaymentLog implements PaymentLog {
  readonly #parts: KafkaPaymentLogParts;
  readonly #sender: KafkaSender;
  readonly #deadLetters: KafkaDeadLetters;
  readonly #deliveries = new Set<KafkaDeliveries>();

  constructor(parts: KafkaPaymentLogParts) {
    this.#parts = parts;
    this.#sender = new KafkaSender(parts);
    this.#deadLetters = new KafkaDeadLetters({ ...parts, sender: this.#sender });
  }

  /** Connects the producer ahead of the first payment. */
  open(): Promise<void> {
    return this.#sender.open();
  }

  /** Resolves when what was being appended has its answer; consumers are stopped by their own functions. */
  close(): Promise<void> {
    return this.#sender.close();
  }

  async append(requests: readonly PaymentRequest[]): Promise<void> {
    if (requests.length === 0) return;
    const { records, topics } = this.#parts;
    try {
      await this.#sender.send(
        requests.map((request) => paymentRecord(topics.paymentRequests.name, records, request)),
      );
    } catch (cause) {
      if (!(cause instanceof NotSentError)) throw cause;
      this.#count('refused', requests.length);
      throw new AppendRefusedError('the payment log did not take the requests', { cause });
    }
    this.#count('appended', requests.length);
  }

  async consume(
    handler: PaymentHandler,
    giveUp: PaymentGiveUp = async () => undefined,
  ): Promise<() => Promise<void>> {
    const { topics } = this.#parts;
    const group = new KafkaConsumerGroup({
      ...this.#parts,
      topic: topics.paymentRequests.name,
      group: topics.workers,
      take: (partition, records) => deliveries.take(partition, records),
      dealt: () => deliveries.startOver(),
      committable: () => deliveries.committable(),
      isFull: (partition) => deliveries.isFull(partition),
    });
    const deliveries: KafkaDeliveries = new KafkaDeliveries({
      ...this.#parts,
      handler,
      giveUp,
      bury: (...letter) => this.#deadLetters.bury(...letter),
      settled: () => group.adjust(),
      count: (what, payments) => this.#count(what, payments),
    });
    this.#deliveries.add(deliveries);
    await group.start();
    return async () => {
      // The group is left last, so that what handlers settle meanwhile is still committed.
      await deliveries.stop();
      await group.stop();
      this.#deliveries.delete(deliveries);
    };
  }

  /**
   * Needed only where seats are kept in the process: a seat store that outlives it, as Redis does, remembers its
   * checkouts itself, and restores them from the database and the log only when it has lost its history. Reads the
   * log from the committed offsets to its end, which takes a second or so if there is anything.
   */
  async pending(show: ShowId): Promise<readonly PaymentRequest[]> {
    const { kafka, outside, records, topics } = this.#parts;
    const topic = topics.paymentRequests.name;
    const found = new Map<OrderId, PaymentRequest>();
    await readTopic(kafka, outside, {
      topic,
      range: await uncommittedRange(kafka, outside, topic, topics.workers),
      // A group that commits nothing is forgotten by the brokers when its only member has left.
      group: `${topics.workers}.pending.${randomUUID()}`,
      commits: false,
      handle: async (messages) => {
        for (const message of messages) {
          // What isn't a request of ours is put aside by the worker that gets it.
          const reading = records.read(recordOf(message));
          if (reading.kind !== 'request' || reading.request.show !== show) continue;
          const { orderId } = reading.request;
          if (!found.has(orderId)) found.set(orderId, reading.request);
        }
      },
    });
    // Behind a payment that isn't consumed yet, others may be that can't be committed before it.
    const isConsumed = (order: OrderId): boolean =>
      [...this.#deliveries].some((deliveries) => deliveries.hasConsumed(order));
    return [...found.values()].filter(({ orderId }) => !isConsumed(orderId));
  }

  /** When the oldest payment that waits at this worker was accepted, or null. */
  get oldestAt(): number | null {
    const instants = [...this.#deliveries].flatMap(({ oldestAt }) => oldestAt ?? []);
    return instants.length > 0 ? Math.min(...instants) : null;
  }

  deadLetters(): Promise<readonly DeadLetter[]> {
    return this.#deadLetters.list();
  }

  replay(): Promise<number> {
    return this.#deadLetters.replay();
  }

  #count(what: PaymentCount, payments: number): void {
    this.#parts.count?.(what, payments);
  }
}

import type { KafkaMessage } from 'kafkajs';
import { PartitionProgress, type RecordPlace } from './kafka-partition-progress.ts';
import { recordOf } from './kafka-payment-record.ts';
import {
  type DeadLetterReason,
  PaymentDeliveries,
  type PaymentDeliveriesParts,
  UNCONSUMED_MAX,
} from './payment-deliveries.ts';
import type { OrderId } from '../platform/ids.ts';
import type { PaymentRecords } from './payment-record.ts';

/** Records of a partition kept uncommitted behind one that isn't consumed: what a crash makes come again [P7]. */
const SPAN_MAX = 20_000;

/** A message and where it lies. */
interface MessagePlace {
  readonly at: RecordPlace;
  readonly message: KafkaMessage;
}

export interface KafkaDeliveriesParts extends Omit<
  PaymentDeliveriesParts<MessagePlace>,
  'consumed' | 'bury'
> {
  readonly records: PaymentRecords;
  /** Resolves when the message is durable among the dead letters. */
  readonly bury: (
    message: KafkaMessage,
    place: RecordPlace,
    reason: DeadLetterReason,
    cause: unknown,
  ) => Promise<void>;
}

/** Deliveries of payments from Kafka, and how far each partition may be committed. */
export class KafkaDeliveries {
  readonly #records: PaymentRecords;
  readonly #deliveries: PaymentDeliveries<MessagePlace>;
  #progress = new Map<number, PartitionProgress>();

  constructor({ records, bury, ...parts }: KafkaDeliveriesParts) {
    this.#records = records;
    this.#deliveries = new PaymentDeliveries({
      ...parts,
      consumed: settle,
      bury: async (places, reason, cause) => {
        const [first] = places;
        if (first) await bury(first.message, first.at, reason, cause);
        settle(places);
      },
    });
  }

  /** Takes messages of a partition, in their order, and delivers them without waiting. */
  take(partition: number, messages: readonly KafkaMessage[]): void {
    this.#deliveries.take(
      messages.map((message) => {
        const offset = Number(message.offset);
        const at = this.#progressOf(partition, offset).add(offset);
        return { place: { at, message }, reading: this.#records.read(recordOf(message)) };
      }),
    );
  }

  /**
   * Partitions were dealt out anew: nothing of before may be committed any more. What stays ours comes again from the
   * last committed offset and finds its payments under way or consumed.
   */
  startOver(): void {
    this.#deliveries.startOver();
    this.#progress = new Map();
  }

  /** The offset each partition may be committed at. */
  committable(): ReadonlyMap<number, number> {
    const offsets = new Map<number, number>();
    for (const { partition, committable } of this.#progress.values()) {
      if (committable !== null) offsets.set(partition, committable);
    }
    return offsets;
  }

  /** Whether no more records of the partition should come for now. */
  isFull(partition: number): boolean {
    return this.#deliveries.size >= UNCONSUMED_MAX || (this.#progress.get(partition)?.span ?? 0) >= SPAN_MAX;
  }

  /** When the oldest payment that waits here was accepted, or null. */
  get oldestAt(): number | null {
    return this.#deliveries.oldestAt;
  }

  /** Whether the order is known to be consumed, though its offset may not be committed yet. */
  hasConsumed(order: OrderId): boolean {
    return this.#deliveries.hasConsumed(order);
  }

  /** Delivers nothing more and resolves when handlers under way have ended. */
  stop(): Promise<void> {
    return this.#deliveries.stop();
  }

  #progressOf(partition: number, offset: number): PartitionProgress {
    const known = this.#progress.get(partition);
    if (known && (known.last === null || known.last < offset)) return known;
    // Going back happens when the offsets were lost or the topic was made anew: what was counted is worth nothing.
    const progress = new PartitionProgress(partition);
    this.#progress.set(partition, progress);
    return progress;
  }
}

function settle(places: readonly MessagePlace[]): void {
  for (const { at } of places) at.progress.settle(at);
}

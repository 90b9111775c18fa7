import type { KafkaMessage } from 'kafkajs';

/** A record taken from a partition, and whether it is settled. */
export interface KafkaPlace {
  readonly partition: Partition;
  readonly message: KafkaMessage;
  isSettled: boolean;
}

interface Partition {
  readonly number: number;
  /** From the first one on that isn't settled, in their order. */
  readonly open: Set<KafkaPlace>;
  last: number;
  committable: number | null;
}

/** Records of a partition kept uncommitted behind one that isn't settled: what a crash makes come again [P7]. */
const SPAN_MAX = 20_000;

/**
 * How far partitions are consumed. Records are settled in any order, but Kafka keeps one number per partition, so only
 * what is settled without a gap from the start may be committed [P2].
 */
export class KafkaProgress {
  readonly #partitions = new Map<number, Partition>();

  /** Takes a partition's next records in. Offsets rise, with gaps where Kafka has them. */
  take(number: number, messages: readonly KafkaMessage[]): KafkaPlace[] {
    return messages.map((message) => {
      const offset = Number(message.offset);
      let partition = this.#partitions.get(number);
      // Going back happens when the offsets were lost or the topic was made anew: what was counted is worth nothing.
      if (!partition || offset <= partition.last) {
        partition = { number, open: new Set(), last: offset, committable: null };
        this.#partitions.set(number, partition);
      }
      partition.last = offset;
      const place = { partition, message, isSettled: false };
      partition.open.add(place);
      return place;
    });
  }

  settle(places: readonly KafkaPlace[]): void {
    for (const place of places) {
      place.isSettled = true;
      const { partition } = place;
      for (const first of partition.open) {
        if (!first.isSettled) break;
        partition.open.delete(first);
        partition.committable = Number(first.message.offset) + 1;
      }
    }
  }

  /** Partitions were dealt out anew: nothing that was taken before may be committed any more. */
  startOver(): void {
    this.#partitions.clear();
  }

  /** The offset that consuming each partition may go on from: everything below is settled. */
  committable(): ReadonlyMap<number, number> {
    const offsets = new Map<number, number>();
    for (const [number, { committable }] of this.#partitions) {
      if (committable !== null) offsets.set(number, committable);
    }
    return offsets;
  }

  /** Whether no more records of the partition should come for now; settled ones behind an open one count, too. */
  isFull(number: number): boolean {
    return (this.#partitions.get(number)?.open.size ?? 0) >= SPAN_MAX;
  }
}

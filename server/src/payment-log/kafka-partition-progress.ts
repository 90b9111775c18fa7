/** A record's place in its partition, and whether it is settled. */
export interface RecordPlace {
  readonly progress: PartitionProgress;
  readonly offset: number;
  isSettled: boolean;
}

/**
 * How far a partition is consumed. Records are settled in any order, but Kafka keeps one number per partition, so
 * only what is settled without a gap from the start may be committed [P2].
 */
export class PartitionProgress {
  readonly partition: number;
  #places: RecordPlace[] = [];
  #settledCount = 0;
  #committable: number | null = null;

  constructor(partition: number) {
    this.partition = partition;
  }

  /** Takes the partition's next record in. Offsets rise, with gaps where Kafka has them. */
  add(offset: number): RecordPlace {
    const place = { progress: this, offset, isSettled: false };
    this.#places.push(place);
    return place;
  }

  settle(place: RecordPlace): void {
    place.isSettled = true;
    while (this.#places[this.#settledCount]?.isSettled) {
      this.#committable = (this.#places[this.#settledCount]?.offset ?? 0) + 1;
      this.#settledCount += 1;
    }
    // Dropped now and then rather than one by one, which would move the whole list each time.
    if (this.#settledCount * 2 > this.#places.length) {
      this.#places = this.#places.slice(this.#settledCount);
      this.#settledCount = 0;
    }
  }

  /** The highest offset taken in, or null. */
  get last(): number | null {
    return this.#places.at(-1)?.offset ?? (this.#committable === null ? null : this.#committable - 1);
  }

  /** Records taken in from the first unsettled one on, settled ones among them included. */
  get span(): number {
    return this.#places.length - this.#settledCount;
  }

  /** The offset that consuming may go on from: everything below is settled. Null while nothing is. */
  get committable(): number | null {
    return this.#committable;
  }
}

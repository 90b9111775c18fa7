import type { KafkaMessage } from 'kafkajs';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { OrderId } from '../platform/ids.ts';
import { type Backoff, backoffMs } from '../platform/backoff.ts';
import { PartitionProgress, type RecordPlace } from './kafka-partition-progress.ts';
import { readPaymentRecord } from './kafka-payment-record.ts';
import type { PaymentHandler, PaymentRequest } from './payment-log.ts';

/** Why a record is put aside: nobody can read it, or it fails though its neighbours don't. */
export type DeadLetterReason = 'unreadable' | 'failing';

/** What happened to payments on their way, for whoever counts. */
export type KafkaPaymentCount =
  'appended' | 'refused' | 'redelivered' | 'duplicate' | `dead-letter-${DeadLetterReason}`;

export interface KafkaDeliveriesParts {
  readonly handler: PaymentHandler;
  /** Resolves when the record is durable among the dead letters. */
  readonly bury: (
    record: KafkaMessage,
    place: RecordPlace,
    reason: DeadLetterReason,
    cause: unknown,
  ) => Promise<void>;
  /** Told after places were settled: there may be more to commit, and room for more records. */
  readonly settled: () => void;
  readonly count: (what: KafkaPaymentCount, payments: number) => void;
  readonly report: (message: string, cause: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Requests of one delivered batch. */
const BATCH_MAX = 256;
/** Requests delivered and not yet consumed, waiting for redelivery included [P7]. */
const UNCONSUMED_MAX = 4_096;
/** Records of a partition kept uncommitted behind one that isn't consumed: what a crash makes come again [P7]. */
const SPAN_MAX = 20_000;
/** Orders remembered as consumed: a record that comes again needs no worker then. */
const CONSUMED_MAX = 20_000;

const REDELIVERY: Backoff = { firstMs: 500, maxMs: 30_000 };
/** Parts of a batch that failed while others succeeded: a few tries find the payment that fails the others. */
const SPLIT_INTO = 16;
/** With nothing succeeding it is halved, unless so many wait already: thousands of tries mend no database. */
const REDELIVERIES_TO_SPLIT_MAX = 64;
/** Failures of a payment alone, while others succeed, before it is put aside. */
const STRIKES_MAX = 5;

/** One payment on its way through the handler. */
interface Item {
  readonly request: PaymentRequest;
  readonly record: KafkaMessage;
  /** Every record of this order that is waiting for its outcome; redelivery and repetition add to them. */
  places: readonly RecordPlace[];
  strikes: number;
}

interface Delivery {
  readonly items: readonly Item[];
  readonly attempt: number;
  /** Deliveries that had succeeded when this one last failed; null before. */
  readonly succeededAtFailure: number | null;
}

/**
 * Hands records to the handler and knows what became of them. Deliveries don't wait for one another, not even those
 * of one partition; one that fails comes again after a while.
 *
 * A payment that fails is not put aside because it failed often: a database that is down fails all of them. Only
 * one that keeps failing alone, while others succeed between its tries, has itself to blame.
 */
export class KafkaDeliveries {
  readonly #parts: KafkaDeliveriesParts;
  #progress = new Map<number, PartitionProgress>();
  readonly #items = new Map<OrderId, Item>();
  readonly #consumed = new Set<OrderId>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #redeliveries = new Set<() => void>();
  #succeeded = 0;
  #isStopped = false;

  constructor(parts: KafkaDeliveriesParts) {
    this.#parts = parts;
  }

  /** Takes records of a partition, in their order, and delivers them without waiting. */
  take(partition: number, records: readonly KafkaMessage[]): void {
    if (this.#isStopped) return;
    const fresh: Item[] = [];
    for (const record of records) {
      const place = this.#progressOf(partition, Number(record.offset)).add(Number(record.offset));
      const item = this.#itemOf(record, place);
      if (item) fresh.push(item);
    }
    for (let from = 0; from < fresh.length; from += BATCH_MAX) {
      this.#start({ items: fresh.slice(from, from + BATCH_MAX), attempt: 1, succeededAtFailure: null });
    }
    this.#parts.settled();
  }

  /**
   * Partitions were dealt out anew: nothing of before may be committed any more. What stays ours comes again from the
   * last committed offset and finds its payments under way or consumed.
   */
  startOver(): void {
    for (const progress of this.#progress.values()) progress.isOurs = false;
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
    return this.#items.size >= UNCONSUMED_MAX || (this.#progress.get(partition)?.span ?? 0) >= SPAN_MAX;
  }

  /** Whether the order is known to be consumed, though its offset may not be committed yet. */
  hasConsumed(order: OrderId): boolean {
    return this.#consumed.has(order);
  }

  /** Delivers nothing more and resolves when handlers under way have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const cancel of this.#redeliveries) cancel();
    this.#redeliveries.clear();
    await Promise.all(this.#underWay);
  }

  #progressOf(partition: number, offset: number): PartitionProgress {
    const known = this.#progress.get(partition);
    if (known && (known.last === null || known.last < offset)) return known;
    // Going back happens when the offsets were lost or the topic was made anew: what was counted is worth nothing.
    if (known) known.isOurs = false;
    const progress = new PartitionProgress(partition);
    this.#progress.set(partition, progress);
    return progress;
  }

  /** The payment to deliver for a record, or null if it needs no delivery of its own. */
  #itemOf(record: KafkaMessage, place: RecordPlace): Item | null {
    let request: PaymentRequest;
    try {
      request = readPaymentRecord(record);
    } catch (cause) {
      this.#track(this.#buryUnreadable(record, place, 1, cause));
      return null;
    }
    const known = this.#items.get(request.orderId);
    if (known) {
      known.places = [...known.places.filter(({ progress }) => progress.isOurs), place];
    } else if (this.#consumed.has(request.orderId)) {
      place.progress.settle(place);
    } else {
      const item: Item = { request, record, places: [place], strikes: 0 };
      this.#items.set(request.orderId, item);
      return item;
    }
    this.#parts.count('duplicate', 1);
    return null;
  }

  #start(delivery: Delivery): void {
    if (!this.#isStopped && delivery.items.length > 0) this.#track(this.#deliver(delivery));
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #deliver(delivery: Delivery): Promise<void> {
    try {
      await this.#parts.handler(delivery.items.map(({ request }) => request));
    } catch (cause) {
      if (!this.#isStopped) await this.#failed(delivery, cause);
      return;
    }
    this.#succeeded += 1;
    for (const item of delivery.items) {
      this.#remember(item.request.orderId);
      this.#settle(item);
    }
    this.#parts.settled();
  }

  async #failed(delivery: Delivery, cause: unknown): Promise<void> {
    const { items, attempt, succeededAtFailure } = delivery;
    const othersSucceed = succeededAtFailure !== null && this.#succeeded > succeededAtFailure;
    const [only] = items;
    if (othersSucceed && only && items.length === 1) {
      only.strikes += 1;
      if (only.strikes >= STRIKES_MAX && (await this.#buryFailing(only, cause))) return;
    }
    const again = { attempt: attempt + 1, succeededAtFailure: this.#succeeded };
    const length = Math.ceil(items.length / this.#partsOf(attempt, othersSucceed));
    const waitMs = backoffMs(REDELIVERY, attempt, this.#parts.random());
    this.#parts.report(`${items.length} payments are delivered again in ${waitMs} ms`, cause);
    this.#after(waitMs, () => {
      for (let from = 0; from < items.length; from += length) {
        this.#redeliver({ ...again, items: items.slice(from, from + length) });
      }
    });
  }

  #partsOf(attempt: number, othersSucceed: boolean): number {
    if (othersSucceed) return SPLIT_INTO;
    return attempt > 1 && this.#redeliveries.size < REDELIVERIES_TO_SPLIT_MAX ? 2 : 1;
  }

  /** Leaves to another consumer what became its business meanwhile. */
  #redeliver(delivery: Delivery): void {
    const isOurs = (item: Item): boolean => item.places.some(({ progress }) => progress.isOurs);
    for (const item of delivery.items) if (!isOurs(item)) this.#items.delete(item.request.orderId);
    const items = delivery.items.filter(isOurs);
    this.#parts.count('redelivered', items.length);
    this.#start({ ...delivery, items });
  }

  /** False if it could not be put aside either. */
  async #buryFailing(item: Item, cause: unknown): Promise<boolean> {
    const [place] = item.places;
    if (!place) return false;
    try {
      await this.#parts.bury(item.record, place, 'failing', cause);
    } catch (failure) {
      this.#parts.report(`the payment of order ${item.request.orderId} could not be put aside`, failure);
      return false;
    }
    this.#parts.report(`the payment of order ${item.request.orderId} keeps failing and was put aside`, cause);
    this.#parts.count('dead-letter-failing', 1);
    this.#settle(item);
    this.#parts.settled();
    return true;
  }

  async #buryUnreadable(
    record: KafkaMessage,
    place: RecordPlace,
    attempt: number,
    cause: unknown,
  ): Promise<void> {
    const where = `record ${place.offset} of partition ${place.progress.partition}`;
    try {
      await this.#parts.bury(record, place, 'unreadable', cause);
    } catch (failure) {
      const waitMs = backoffMs(REDELIVERY, attempt, this.#parts.random());
      this.#parts.report(`${where}, which is not readable, could not be put aside`, failure);
      this.#after(waitMs, () => this.#track(this.#buryUnreadable(record, place, attempt + 1, cause)));
      return;
    }
    this.#parts.report(`${where} is not readable and was put aside`, cause);
    this.#parts.count('dead-letter-unreadable', 1);
    place.progress.settle(place);
    this.#parts.settled();
  }

  #after(ms: number, task: () => void): void {
    if (this.#isStopped) return;
    const cancel = this.#parts.clock.after(ms, () => {
      this.#redeliveries.delete(cancel);
      task();
    });
    this.#redeliveries.add(cancel);
  }

  #settle(item: Item): void {
    this.#items.delete(item.request.orderId);
    for (const place of item.places) place.progress.settle(place);
  }

  #remember(order: OrderId): void {
    this.#consumed.add(order);
    const [oldest] = this.#consumed;
    if (this.#consumed.size > CONSUMED_MAX && oldest !== undefined) this.#consumed.delete(oldest);
  }
}

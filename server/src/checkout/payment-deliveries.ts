import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { OrderId } from '../platform/ids.ts';
import { type Backoff, backoffMs } from '../platform/backoff.ts';
import type { PaymentHandler, PaymentRequest } from './payment-log.ts';
import type { RecordReading } from './payment-record.ts';

/**
 * Why a record is put aside: nobody can read it, none of ours wrote it, no worker of its newer version came, or it
 * fails though its neighbours don't.
 */
export type DeadLetterReason = Exclude<RecordReading['kind'], 'request'> | 'failing';

/** What happened to payments on their way, for whoever counts. */
export type PaymentCount =
  'appended' | 'refused' | 'redelivered' | 'duplicate' | 'left-to-newer' | `dead-letter-${DeadLetterReason}`;

/** A record of a log: where it lies, and what was found in it. */
export interface Taken<Place> {
  readonly place: Place;
  readonly reading: RecordReading;
}

export interface PaymentDeliveriesParts<Place> {
  readonly handler: PaymentHandler;
  /** Told of a payment that is about to be put aside: its order gets an end all the same [P2]. */
  readonly giveUp: (request: PaymentRequest) => Promise<void>;
  /** Whether a place is (still) this process's to settle. */
  readonly isOurs: (place: Place) => boolean;
  /** Marks the records at these places as consumed. Rejecting: they are delivered again. */
  readonly consumed: (places: readonly Place[]) => void | Promise<void>;
  /** Resolves when a record is durable among the dead letters, and consumed at each of its places. */
  readonly bury: (places: readonly Place[], reason: DeadLetterReason, cause: unknown) => Promise<void>;
  /** Told after places were consumed or put aside: there is room for more. */
  readonly settled: () => void;
  readonly count: (what: PaymentCount, payments: number) => void;
  readonly report: (message: string, cause: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Requests of one delivered batch. */
const BATCH_MAX = 256;
/** Requests delivered and not yet consumed, waiting for redelivery included [P7]. */
export const UNCONSUMED_MAX = 4_096;
/** Orders remembered as consumed: a record that comes again needs no worker then. */
const CONSUMED_MAX = 20_000;

const REDELIVERY: Backoff = { firstMs: 500, maxMs: 30_000 };
/** Parts of a batch that failed while others succeeded: a few tries find the payment that fails the others. */
const SPLIT_INTO = 16;
/** With nothing succeeding it is halved, unless so many wait already: thousands of tries mend no database. */
const REDELIVERIES_TO_SPLIT_MAX = 64;
/** Failures of a payment alone, while others succeed, before it is put aside. */
const STRIKES_MAX = 5;
/** How long a record of a newer form is left to the workers of its version: a roll-out, with somebody watching it. */
export const NEWER_LEFT_MS = 15 * 60_000;

/** One payment on its way through the handler. */
interface Item<Place> {
  readonly request: PaymentRequest;
  /** Every place of this order that waits for its outcome; redelivery and repetition add to them. */
  places: readonly Place[];
  strikes: number;
}

interface Delivery<Place> {
  readonly items: readonly Item<Place>[];
  readonly attempt: number;
  /** Deliveries that had succeeded when this one last failed; null before. */
  readonly succeededAtFailure: number | null;
}

/**
 * Hands payments of a log to the handler and knows what became of them. Deliveries don't wait for one another; one
 * that fails comes again after a while.
 *
 * A payment that fails is not put aside because it failed often: a database that is down fails all of them. Only
 * one that keeps failing alone, while others succeed between its tries, has itself to blame.
 */
export class PaymentDeliveries<Place> {
  readonly #parts: PaymentDeliveriesParts<Place>;
  readonly #items = new Map<OrderId, Item<Place>>();
  /** Records that are not this version's to settle or could not be put aside yet, and since when they wait. */
  readonly #waiting = new Map<Place, number>();
  readonly #consumed = new Set<OrderId>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #redeliveries = new Set<() => void>();
  #succeeded = 0;
  #isStopped = false;

  constructor(parts: PaymentDeliveriesParts<Place>) {
    this.#parts = parts;
  }

  /** Takes records in their order and delivers them without waiting. */
  take(records: readonly Taken<Place>[]): void {
    if (this.#isStopped) return;
    const fresh: Item<Place>[] = [];
    for (const record of records) {
      const item = this.#itemOf(record);
      if (item) fresh.push(item);
    }
    for (let from = 0; from < fresh.length; from += BATCH_MAX) {
      this.#start({ items: fresh.slice(from, from + BATCH_MAX), attempt: 1, succeededAtFailure: null });
    }
    this.#parts.settled();
  }

  /** Payments taken and not consumed. */
  get size(): number {
    return this.#items.size + this.#waitingHere().length;
  }

  /** When the oldest of them was accepted (where that isn't known: came here), or null. */
  get oldestAt(): number | null {
    const ours = [...this.#items.values()].filter((item) => this.#isOurs(item));
    const accepted = ours.map(({ request }) => request.createdAt);
    const since = this.#waitingHere().map(([, at]) => at);
    const oldest = [...accepted, ...since].reduce((least, at) => Math.min(least, at), Infinity);
    return Number.isFinite(oldest) ? oldest : null;
  }

  /** Whether the order is known to be consumed, though the log may not have it marked yet. */
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

  /** The payment to deliver for a record, or null if it needs no delivery of its own. */
  #itemOf({ place, reading }: Taken<Place>): Item<Place> | null {
    if (reading.kind !== 'request') {
      this.#takeAside(place, reading);
      return null;
    }
    const { request } = reading;
    const known = this.#items.get(request.orderId);
    if (known) {
      known.places = [...known.places.filter(this.#parts.isOurs), place];
    } else if (this.#consumed.has(request.orderId)) {
      this.#track(this.#consumeAgain(place));
    } else {
      const item: Item<Place> = { request, places: [place], strikes: 0 };
      this.#items.set(request.orderId, item);
      return item;
    }
    this.#parts.count('duplicate', 1);
    return null;
  }

  #takeAside(place: Place, { kind, cause }: Exclude<RecordReading, { kind: 'request' }>): void {
    this.#waiting.set(place, this.#parts.clock.now());
    if (kind !== 'newer') {
      this.#track(this.#buryUnsettled(place, kind, 1, cause));
      return;
    }
    this.#parts.count('left-to-newer', 1);
    this.#parts.report('a payment is left to workers of a newer version', cause);
    this.#after(NEWER_LEFT_MS, () => this.#track(this.#buryUnsettled(place, 'newer', 1, cause)));
  }

  /** A mark that fails is made good by whoever reads the log next. */
  async #consumeAgain(place: Place): Promise<void> {
    try {
      await this.#parts.consumed([place]);
    } catch (cause) {
      this.#parts.report('a repeated payment could not be marked as consumed', cause);
    }
  }

  #start(delivery: Delivery<Place>): void {
    if (!this.#isStopped && delivery.items.length > 0) this.#track(this.#deliver(delivery));
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #deliver(delivery: Delivery<Place>): Promise<void> {
    const { items } = delivery;
    try {
      await this.#parts.handler(items.map(({ request }) => request));
      await this.#parts.consumed(items.flatMap(({ places }) => places));
    } catch (cause) {
      if (!this.#isStopped) await this.#failed(delivery, cause);
      return;
    }
    this.#succeeded += 1;
    for (const { request } of items) {
      this.#items.delete(request.orderId);
      this.#remember(request.orderId);
    }
    this.#parts.settled();
  }

  async #failed(delivery: Delivery<Place>, cause: unknown): Promise<void> {
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

  #waitingHere(): readonly (readonly [Place, number])[] {
    return [...this.#waiting].filter(([place]) => this.#parts.isOurs(place));
  }

  #isOurs({ places }: Item<Place>): boolean {
    return places.some(this.#parts.isOurs);
  }

  /** Leaves to another consumer what became its business meanwhile. */
  #redeliver(delivery: Delivery<Place>): void {
    const items = delivery.items.filter((item) => this.#isOurs(item));
    for (const item of delivery.items) if (!items.includes(item)) this.#items.delete(item.request.orderId);
    this.#parts.count('redelivered', items.length);
    this.#start({ ...delivery, items });
  }

  /** False if it could not be put aside either. */
  async #buryFailing({ request, places }: Item<Place>, cause: unknown): Promise<boolean> {
    const { bury, count, giveUp, report, settled } = this.#parts;
    const payment = `the payment of order ${request.orderId}`;
    await giveUp(request).catch((failure: unknown) =>
      report(`${payment} could not be given an end`, failure),
    );
    try {
      await bury(places, 'failing', cause);
    } catch (failure) {
      report(`${payment} could not be put aside`, failure);
      return false;
    }
    report(`${payment} keeps failing and was put aside`, cause);
    count('dead-letter-failing', 1);
    this.#items.delete(request.orderId);
    settled();
    return true;
  }

  async #buryUnsettled(
    place: Place,
    reason: DeadLetterReason,
    attempt: number,
    cause: unknown,
  ): Promise<void> {
    const { bury, count, isOurs, random, report, settled } = this.#parts;
    if (isOurs(place)) {
      try {
        await bury([place], reason, cause);
      } catch (failure) {
        report(`a payment record (${reason}) could not be put aside`, failure);
        this.#after(backoffMs(REDELIVERY, attempt, random()), () =>
          this.#track(this.#buryUnsettled(place, reason, attempt + 1, cause)),
        );
        return;
      }
      report(`a payment record was put aside (${reason})`, cause);
      count(`dead-letter-${reason}`, 1);
    }
    this.#waiting.delete(place);
    settled();
  }

  #after(ms: number, task: () => void): void {
    if (this.#isStopped) return;
    const cancel = this.#parts.clock.after(ms, () => {
      this.#redeliveries.delete(cancel);
      task();
    });
    this.#redeliveries.add(cancel);
  }

  #remember(order: OrderId): void {
    this.#consumed.add(order);
    const [oldest] = this.#consumed;
    if (this.#consumed.size > CONSUMED_MAX && oldest !== undefined) this.#consumed.delete(oldest);
  }
}

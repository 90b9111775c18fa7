import type { OrderId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { type Backoff, backoffMs, pause, retry } from '../platform/retry.ts';
import type { PaymentHandler, PaymentRequest } from './payment-log.ts';
import type { RecordReading } from './payment-record.ts';

/**
 * Why a record is put aside: nobody can read it, none of ours wrote it, no worker of its newer version came, or it
 * fails though its neighbours don't.
 */
export type DeadLetterReason = Exclude<RecordReading['kind'], 'request'> | 'failing';

/** What happened to payments on their way, for whoever counts. */
export const PAYMENT_COUNTS = [
  ...(['appended', 'refused', 'redelivered', 'duplicate', 'left-to-newer'] as const),
  ...(['dead-letter-unreadable', 'dead-letter-forged', 'dead-letter-newer', 'dead-letter-failing'] as const),
];
export type PaymentCount = (typeof PAYMENT_COUNTS)[number];

/** A record of a log: where it lies, and what was found in it. */
export interface Taken<Place> {
  readonly place: Place;
  readonly reading: RecordReading;
}

export interface PaymentDeliveriesParts<Place> {
  readonly outside: Outside;
  readonly handler: PaymentHandler;
  /** Told of a payment that is about to be put aside: its order gets an end all the same [P2]. */
  readonly giveUp: (request: PaymentRequest) => Promise<void>;
  /** Marks the records at these places as consumed. Rejecting: they are delivered again. */
  readonly consumed: (places: readonly Place[]) => void | Promise<void>;
  /** Resolves when a record is durable among the dead letters, and consumed at each of its places. */
  readonly bury: (places: readonly Place[], reason: DeadLetterReason, error: string) => Promise<void>;
  /** Told after places were consumed, put aside or left to others: there is room for more. */
  readonly settled: () => void;
  readonly count: (what: PaymentCount, payments: number) => void;
}

/** Requests of one delivered batch. */
const BATCH_MAX = 256;
/** Requests delivered and not yet consumed, waiting for redelivery included [P7]. */
const UNCONSUMED_MAX = 4_096;
/** Orders remembered as consumed: a record that comes again needs no worker then. */
const CONSUMED_MAX = 20_000;
/** An error may quote a whole record. */
const ERROR_LENGTH_MAX = 1_000;

const REDELIVERY: Backoff = { firstMs: 500, maxMs: 30_000 };
/** Parts of a batch that failed while others succeeded: a few tries find the payment that fails the others. */
const SPLIT_INTO = 16;
/** With nothing succeeding it is halved, unless so many wait already: thousands of tries mend no database. */
const REDELIVERIES_TO_SPLIT_MAX = 64;
/** Failures of a payment alone, while others succeed, before it is put aside. */
const STRIKES_MAX = 5;
/** Deliveries of a payment alone, with no other to compare it with, before it is given an end: some five minutes. */
const LONE_ATTEMPTS_MAX = 20;
/** How long a record of a newer form is left to the workers of its version: a roll-out, with somebody watching it. */
export const NEWER_LEFT_MS = 15 * 60_000;

/** One payment on its way through the handler. */
interface Item<Place> {
  readonly request: PaymentRequest;
  /** Every place of this order that waits for its outcome; none: it went to another consumer. */
  readonly places: Set<Place>;
  strikes: number;
}

interface Delivery<Place> {
  readonly items: readonly Item<Place>[];
  readonly attempt: number;
  /** Deliveries that had succeeded when this one last failed; null before. */
  readonly succeededAtFailure: number | null;
}

/** A delivery that failed, as far as it matters for what comes next. */
export interface FailedDelivery {
  readonly payments: number;
  /** From 1. */
  readonly attempt: number;
  /** Whether others succeeded since it last failed. */
  readonly othersSucceed: boolean;
  /** How often its only payment failed alone while others succeeded, this time included. */
  readonly strikes: number;
  /** Other deliveries that wait to be tried again. */
  readonly waiting: number;
}

/**
 * What becomes of a delivery that failed: its payments come again in so many parts, or its only payment is put aside.
 *
 * A payment is not put aside because it failed often: a database that is down fails all of them. One that keeps
 * failing alone, while others succeed between its tries, has itself to blame. So has one without company that failed
 * for minutes, if the database takes an end for it (`if-it-can-end`): then it is not the database that fails.
 */
export function afterFailure(failed: FailedDelivery): number | 'put-aside' | 'put-aside-if-it-can-end' {
  const { payments, attempt, othersSucceed, strikes, waiting } = failed;
  if (payments === 1 && othersSucceed && strikes >= STRIKES_MAX) return 'put-aside';
  if (payments === 1 && attempt >= LONE_ATTEMPTS_MAX) return 'put-aside-if-it-can-end';
  if (othersSucceed) return SPLIT_INTO;
  return attempt > 1 && waiting < REDELIVERIES_TO_SPLIT_MAX ? 2 : 1;
}

/**
 * Hands payments of a log to the handler and knows what became of them. Deliveries don't wait for one another; one
 * that fails comes again after a while.
 */
export class PaymentDeliveries<Place> {
  readonly #parts: PaymentDeliveriesParts<Place>;
  readonly #items = new Map<OrderId, Item<Place>>();
  /** Records that are not this version's to settle or could not be put aside yet, and since when they wait. */
  readonly #aside = new Map<Place, number>();
  readonly #consumed = new Set<OrderId>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #redeliveries = 0;
  #succeeded = 0;

  constructor(parts: PaymentDeliveriesParts<Place>) {
    this.#parts = parts;
  }

  /** Takes records in their order and delivers them without waiting, but those whose place is under way already. */
  take(records: readonly Taken<Place>[]): void {
    if (this.#isStopped) return;
    const fresh = records.flatMap((record) => this.#itemOf(record) ?? []);
    for (let from = 0; from < fresh.length; from += BATCH_MAX) {
      const items = fresh.slice(from, from + BATCH_MAX);
      this.#track(this.#deliver({ items, attempt: 1, succeededAtFailure: null }));
    }
    this.#parts.settled();
  }

  /** Nothing taken so far is this process's to settle any more; what stays its own is taken again. */
  startOver(): void {
    for (const { places } of this.#items.values()) places.clear();
    this.#aside.clear();
  }

  /** Whether no more records should come for now. */
  get isFull(): boolean {
    return this.#items.size + this.#aside.size >= UNCONSUMED_MAX;
  }

  /** When the oldest of them was accepted (where that isn't known: came here), or null. */
  get oldestAt(): number | null {
    let oldest = Infinity;
    for (const { places, request } of this.#items.values()) {
      if (places.size > 0) oldest = Math.min(oldest, request.createdAt);
    }
    for (const since of this.#aside.values()) oldest = Math.min(oldest, since);
    return Number.isFinite(oldest) ? oldest : null;
  }

  /** Whether the order is known to be consumed, though the log may not have it marked yet. */
  hasConsumed(order: OrderId): boolean {
    return this.#consumed.has(order);
  }

  /** Delivers nothing more and resolves when handlers under way have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('deliveries are stopping'));
    await Promise.all(this.#underWay);
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** The payment to deliver for a record, or null if it needs no delivery of its own. */
  #itemOf({ place, reading }: Taken<Place>): Item<Place> | null {
    if (reading.kind !== 'request') {
      if (this.#aside.has(place)) return null;
      this.#aside.set(place, this.#parts.outside.clock.now());
      this.#track(this.#takeAside(place, reading));
      return null;
    }
    const { request } = reading;
    const known = this.#items.get(request.orderId);
    if (known?.places.has(place)) return null;
    if (known) {
      known.places.add(place);
    } else if (this.#consumed.has(request.orderId)) {
      this.#track(this.#consumeAgain(place));
    } else {
      const item: Item<Place> = { request, places: new Set([place]), strikes: 0 };
      this.#items.set(request.orderId, item);
      return item;
    }
    this.#parts.count('duplicate', 1);
    return null;
  }

  /** A mark that fails is made good by whoever reads the log next. */
  async #consumeAgain(place: Place): Promise<void> {
    try {
      await this.#parts.consumed([place]);
    } catch (cause) {
      this.#parts.outside.report('a repeated payment could not be marked as consumed', cause);
    }
  }

  /** Buries a record that nobody here can settle; one of a newer form only after its workers had their time. */
  async #takeAside(
    place: Place,
    { kind, cause }: Exclude<RecordReading, { kind: 'request' }>,
  ): Promise<void> {
    const { bury, count, outside, settled } = this.#parts;
    const { signal } = this.#stopping;
    if (kind === 'newer') {
      count('left-to-newer', 1);
      outside.report('a payment is left to workers of a newer version', cause);
      await pause(outside.clock, NEWER_LEFT_MS, signal);
    }
    const onTrouble = (failure: unknown): void =>
      outside.report(`a payment record (${kind}) could not be put aside`, failure);
    const attempt = async (): Promise<void> => {
      if (!this.#aside.has(place)) return;
      await bury([place], kind, errorText(cause));
      outside.report(`a payment record was put aside (${kind})`, cause);
      count(`dead-letter-${kind}`, 1);
      this.#aside.delete(place);
      settled();
    };
    // Only stopping ends the trying; the record then comes again.
    await retry(outside, { backoff: REDELIVERY, signal, onTrouble }, attempt).catch(() => undefined);
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #deliver(delivery: Delivery<Place>): Promise<void> {
    const { items } = delivery;
    try {
      await this.#parts.handler(items.map(({ request }) => request));
      await this.#parts.consumed(items.flatMap(({ places }) => [...places]));
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

  async #failed({ items, attempt, succeededAtFailure }: Delivery<Place>, cause: unknown): Promise<void> {
    const { clock, random, report } = this.#parts.outside;
    const othersSucceed = succeededAtFailure !== null && this.#succeeded > succeededAtFailure;
    const [first] = items;
    if (!first) return;
    if (othersSucceed && items.length === 1) first.strikes += 1;
    const waiting = this.#redeliveries;
    const failed = { payments: items.length, attempt, othersSucceed, strikes: first.strikes, waiting };
    const next = afterFailure(failed);
    if (typeof next === 'string' && (await this.#buryFailing(first, next === 'put-aside', cause))) return;
    const waitMs = backoffMs(REDELIVERY, attempt, random());
    report(`${items.length} payments are delivered again in ${waitMs} ms`, cause);
    const again = { attempt: attempt + 1, succeededAtFailure: this.#succeeded };
    this.#redeliveries += 1;
    await pause(clock, waitMs, this.#stopping.signal);
    this.#redeliveries -= 1;
    if (this.#isStopped) return;
    const length = Math.ceil(items.length / (typeof next === 'number' ? next : 1));
    for (let from = 0; from < items.length; from += length) {
      this.#redeliver({ ...again, items: items.slice(from, from + length) });
    }
  }

  /** Leaves to another consumer what became its business meanwhile. */
  #redeliver(delivery: Delivery<Place>): void {
    const items = delivery.items.filter(({ places }) => places.size > 0);
    for (const item of delivery.items) if (!items.includes(item)) this.#items.delete(item.request.orderId);
    // Until now they counted: what was taken for full may have stopped fetching, and nothing else makes it go on [P2].
    if (items.length < delivery.items.length) this.#parts.settled();
    if (items.length === 0) return;
    this.#parts.count('redelivered', items.length);
    this.#track(this.#deliver({ ...delivery, items }));
  }

  /** False if it stays: it could not be put aside, or has no end and must have one. */
  async #buryFailing({ request, places }: Item<Place>, isToBlame: boolean, cause: unknown): Promise<boolean> {
    const { bury, count, giveUp, outside, settled } = this.#parts;
    const payment = `the payment of order ${request.orderId}`;
    try {
      await giveUp(request);
    } catch (failure) {
      outside.report(`${payment} could not be given an end`, failure);
      if (!isToBlame) return false;
    }
    const buried = [...places];
    try {
      await bury(buried, 'failing', errorText(cause));
    } catch (failure) {
      outside.report(`${payment} could not be put aside`, failure);
      return false;
    }
    outside.report(`${payment} keeps failing and was put aside`, cause);
    count('dead-letter-failing', 1);
    this.#items.delete(request.orderId);
    // Those that came meanwhile, or nothing behind them would ever be committed.
    for (const place of places) if (!buried.includes(place)) this.#track(this.#consumeAgain(place));
    settled();
    return true;
  }

  #remember(order: OrderId): void {
    this.#consumed.add(order);
    const [oldest] = this.#consumed;
    if (this.#consumed.size > CONSUMED_MAX && oldest !== undefined) this.#consumed.delete(oldest);
  }
}

/** An error's message with those of what caused it, for people who look at what was put aside. */
function errorText(cause: unknown): string {
  return messagesOf(cause).slice(0, ERROR_LENGTH_MAX).toWellFormed();
}

function messagesOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause.cause];
  return [cause.message, ...inner.filter((one) => one !== undefined).map(messagesOf)].join(': ');
}

import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { Database } from '../platform/database.ts';
import { orderId, type ShowId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import type { NextTurn } from '../platform/turn.ts';
import { type Backoff, backoffMs } from '../platform/backoff.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import {
  AppendRefusedError,
  type PaymentHandler,
  type PaymentLog,
  type PaymentRequest,
} from './payment-log.ts';
import { paymentLogTable, type PaymentLogRow } from './payment-log-table.ts';
import { readPaymentRequest, writePaymentRequest } from './payment-request-json.ts';

export interface SqlPaymentLogParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly nextTurn: NextTurn;
  /** Told of what went wrong and is being tried again. */
  readonly report: (message: string, cause: unknown) => void;
}

/** Requests of one insert, and of one delivered batch. */
const APPEND_MAX = 1_000;
const BATCH_MAX = 256;

/** Requests delivered and not yet consumed, waiting for redelivery included: what the process keeps in memory [P7]. */
const UNCONSUMED_MAX = 4_096;

/** For safety only: appends of this process wake the delivery themselves. */
const POLL_INTERVAL_MS = 5_000;

const REDELIVERY: Backoff = { firstMs: 500, maxMs: 30_000 };

/** Consumed requests are kept that long: a request appended again within it is recognised. */
const CONSUMED_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;

interface Delivery {
  readonly offsets: readonly number[];
  readonly requests: readonly PaymentRequest[];
  readonly attempt: number;
}

/**
 * The payment log as a table of the database: the embedded default, made for one process that both appends and
 * consumes (several consumers would each get every request).
 *
 * If the process dies
 * - before the append committed: nobody heard "accepted", the hold ends with its time;
 * - after it, before or while the handler works: the row is unconsumed, and the next start delivers it;
 * - after the handler, before the row is marked: it is delivered once more, and the handler, which finds the order
 *   final, changes nothing.
 */
export class SqlPaymentLog implements PaymentLog {
  readonly #parts: SqlPaymentLogParts;
  readonly #appends: GatheredCalls<readonly PaymentRequest[], null>;
  readonly #marks: GatheredCalls<readonly number[], null>;
  #wake: () => void = () => undefined;

  constructor(parts: SqlPaymentLogParts) {
    this.#parts = parts;
    const { nextTurn } = parts;
    this.#appends = new GatheredCalls((lists) => this.#insert(lists), nextTurn, {
      itemsMax: APPEND_MAX,
      callsMax: 1,
    });
    this.#marks = new GatheredCalls((lists) => this.#markConsumed(lists), nextTurn, {
      itemsMax: APPEND_MAX,
      callsMax: 1,
    });
  }

  async append(requests: readonly PaymentRequest[]): Promise<void> {
    if (requests.length === 0) return;
    await this.#appends.add(requests);
    this.#wake();
  }

  async pending(show: ShowId): Promise<readonly PaymentRequest[]> {
    const rows = await this.#parts.database
      .entities()
      .find(paymentLogTable, { showId: show, consumedAt: null }, { orderBy: { logOffset: 'asc' } });
    return rows.flatMap((row) => this.#read(row));
  }

  async consume(handler: PaymentHandler): Promise<() => Promise<void>> {
    const { clock, database, report } = this.#parts;
    await database
      .entities()
      .nativeDelete(paymentLogTable, { consumedAt: { $lt: clock.now() - CONSUMED_KEPT_MS } });
    const consumer = new Consumer({
      ...this.#parts,
      handler,
      next: (after, limit) => this.#next(after, limit),
      consumed: (offsets) => this.#marks.add(offsets),
    });
    this.#wake = () => consumer.wake();
    const poll = repeat(
      clock,
      POLL_INTERVAL_MS,
      async () => consumer.wake(),
      (cause) => report('the payment log could not be polled', cause),
    );
    consumer.wake();
    return async () => {
      this.#wake = () => undefined;
      await Promise.all([poll(), consumer.stop()]);
    };
  }

  async #insert(lists: readonly (readonly PaymentRequest[])[]): Promise<readonly null[]> {
    const appendedAt = this.#parts.clock.now();
    // Within one statement a repeated key would be touched twice, which MySQL and SQLite treat differently.
    const unique = new Map(lists.flat().map((request) => [request.orderId, request]));
    const rows = [...unique.values()].map((request) => ({
      orderId: request.orderId,
      showId: request.show,
      request: writePaymentRequest(request),
      appendedAt,
      consumedAt: null,
    }));
    const progress = { inserted: false };
    try {
      await this.#parts.database.transaction(async (entities) => {
        // "Do nothing" spelt as an update to the same: MySQL's INSERT IGNORE would swallow other faults as well.
        await entities
          .createQueryBuilder(paymentLogTable)
          .insert(rows)
          .onConflict('orderId')
          .merge(['orderId'])
          .execute('run');
        progress.inserted = true;
      });
    } catch (cause) {
      // A commit that failed may yet have happened; anything before it was rolled back for sure.
      if (progress.inserted) throw cause;
      throw new AppendRefusedError('the payment log did not take the requests', { cause });
    }
    return lists.map(() => null);
  }

  async #markConsumed(lists: readonly (readonly number[])[]): Promise<readonly null[]> {
    await this.#parts.database
      .entities()
      .nativeUpdate(
        paymentLogTable,
        { logOffset: { $in: lists.flat() } },
        { consumedAt: this.#parts.clock.now() },
      );
    return lists.map(() => null);
  }

  /** Unconsumed rows above an offset, with the highest offset that was looked at. */
  async #next(after: number, limit: number): Promise<Delivery & { readonly last: number }> {
    const rows = await this.#parts.database
      .entities()
      .find(
        paymentLogTable,
        { consumedAt: null, logOffset: { $gt: after } },
        { orderBy: { logOffset: 'asc' }, limit },
      );
    const read = rows.flatMap((row) =>
      this.#read(row).map((request) => ({ offset: row.logOffset, request })),
    );
    return {
      offsets: read.map((one) => one.offset),
      requests: read.map((one) => one.request),
      attempt: 1,
      last: rows.at(-1)?.logOffset ?? after,
    };
  }

  /** A row that isn't readable stays in the table for a person to look at; the others don't wait for it. */
  #read(row: PaymentLogRow): PaymentRequest[] {
    try {
      return [readPaymentRequest(row.request)];
    } catch (cause) {
      this.#parts.report(`payment log: the request of order ${orderId(row.orderId)} is not readable`, cause);
      return [];
    }
  }
}

interface ConsumerParts extends Pick<SqlPaymentLogParts, 'clock' | 'random' | 'nextTurn' | 'report'> {
  readonly handler: PaymentHandler;
  next(after: number, limit: number): Promise<Delivery & { readonly last: number }>;
  consumed(offsets: readonly number[]): Promise<unknown>;
}

/** Hands out deliveries in the order of their offsets, none waiting for another, and failed ones again later. */
class Consumer {
  readonly #parts: ConsumerParts;
  readonly #underWay = new Set<Promise<void>>();
  readonly #redeliveries = new Set<() => void>();
  #delivered = 0;
  #unconsumed = 0;
  #fetching: Promise<void> | null = null;
  #wakeAgain = false;
  #stopped = false;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
  }

  /** Looks for new rows now, or once more if it is looking already. */
  wake(): void {
    if (this.#fetching) {
      this.#wakeAgain = true;
      return;
    }
    this.#fetching = this.#fetch()
      .catch((cause: unknown) => this.#parts.report('the payment log could not be read', cause))
      .finally(() => {
        this.#fetching = null;
        if (this.#wakeAgain) {
          this.#wakeAgain = false;
          this.wake();
        }
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#redeliveries) cancel();
    await this.#fetching;
    await Promise.all(this.#underWay);
  }

  async #fetch(): Promise<void> {
    while (!this.#stopped && this.#unconsumed < UNCONSUMED_MAX) {
      const limit = Math.min(BATCH_MAX, UNCONSUMED_MAX - this.#unconsumed);
      const { last, ...delivery } = await this.#parts.next(this.#delivered, limit);
      if (last === this.#delivered) return;
      this.#delivered = last;
      this.#unconsumed += delivery.requests.length;
      if (delivery.requests.length > 0) this.#start(delivery);
      // A long backlog must not keep the event loop to itself.
      await new Promise<void>((resume) => this.#parts.nextTurn(resume));
    }
  }

  #start(delivery: Delivery): void {
    if (this.#stopped) return;
    const work = this.#deliver(delivery).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    try {
      await this.#parts.handler(delivery.requests);
      await this.#parts.consumed(delivery.offsets);
      this.#unconsumed -= delivery.requests.length;
      this.wake();
    } catch (cause) {
      if (this.#stopped) return;
      const waitMs = backoffMs(REDELIVERY, delivery.attempt, this.#parts.random());
      this.#parts.report(`${delivery.requests.length} payments are delivered again in ${waitMs} ms`, cause);
      const cancel = this.#parts.clock.after(waitMs, () => {
        this.#redeliveries.delete(cancel);
        this.#start({ ...delivery, attempt: delivery.attempt + 1 });
      });
      this.#redeliveries.add(cancel);
    }
  }
}

import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { ShowId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import type { Outside } from '../platform/outside.ts';
import { errorText } from './error-text.ts';
import {
  type DeadLetterReason,
  type PaymentCount,
  PaymentDeliveries,
  type PaymentDeliveriesParts,
  type Taken,
  UNCONSUMED_MAX,
} from './payment-deliveries.ts';
import {
  AppendRefusedError,
  type DeadLetter,
  type PaymentGiveUp,
  type PaymentHandler,
  type PaymentLog,
  type PaymentRequest,
} from './payment-log.ts';
import { deadLetterTable, paymentLogTable, type PaymentLogRow } from './payment-log-table.ts';
import type { PaymentRecords, RecordReading } from './payment-record.ts';

export interface SqlPaymentLogParts {
  readonly database: Database;
  readonly records: PaymentRecords;
  /** Its `report` is told of what went wrong and is being tried again, or was put aside. */
  readonly outside: Outside;
  /** Told how many payments something happened to; for metrics. */
  readonly count?: (what: PaymentCount, payments: number) => void;
}

const deadLetterRows = z.array(
  z.object({ reason: z.string(), error: z.string(), buried_at: z.int(), request: z.string() }),
);

/** Requests of one insert, and of one delivered batch. */
const APPEND_MAX = 1_000;
const BATCH_MAX = 256;

/**
 * Appends of this process wake the delivery themselves. Those of others are found by looking over all that is not
 * consumed: a transaction that got its offset early may commit late, behind what was delivered already.
 */
const POLL_INTERVAL_MS = 5_000;

/** Consumed requests are kept that long: a request appended again within it is recognised. */
const CONSUMED_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * The payment log as a table of the database: the embedded default, made for one process that consumes (several
 * consumers would each get every request).
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
  #consumer: Consumer | null = null;

  constructor(parts: SqlPaymentLogParts) {
    this.#parts = parts;
    const bounds = { itemsMax: APPEND_MAX, callsMax: 1 };
    this.#appends = new GatheredCalls((lists) => this.#insert(lists), parts.outside.nextTurn, bounds);
    this.#marks = new GatheredCalls((lists) => this.#markConsumed(lists), parts.outside.nextTurn, bounds);
  }

  async append(requests: readonly PaymentRequest[]): Promise<void> {
    if (requests.length === 0) return;
    await this.#appends.add(requests);
    this.#consumer?.wake();
  }

  async pending(show: ShowId): Promise<readonly PaymentRequest[]> {
    const rows = await this.#parts.database
      .entities()
      .find(paymentLogTable, { showId: show, consumedAt: null }, { orderBy: { logOffset: 'asc' } });
    return rows.flatMap((row) => {
      const reading = this.#read(row);
      return reading.kind === 'request' ? [reading.request] : [];
    });
  }

  async consume(
    handler: PaymentHandler,
    giveUp: PaymentGiveUp = async () => undefined,
  ): Promise<() => Promise<void>> {
    const { clock, report } = this.#parts.outside;
    await this.#dropOld();
    const consumer = new Consumer({
      ...this.#parts,
      handler,
      giveUp,
      next: (after) => this.#next(after),
      consumed: (offsets) => this.#marks.add(offsets),
      bury: (offsets, reason, cause) => this.#bury(offsets, reason, cause),
      count: (what, payments) => this.#parts.count?.(what, payments),
    });
    this.#consumer = consumer;
    const poll = repeat(
      clock,
      POLL_INTERVAL_MS,
      async () => consumer.lookOver(),
      (cause) => report('the payment log could not be polled', cause),
    );
    consumer.wake();
    return async () => {
      this.#consumer = null;
      await Promise.all([poll(), consumer.stop()]);
    };
  }

  /** When the oldest payment that waits at this worker was accepted, or null. */
  get oldestAt(): number | null {
    return this.#consumer?.oldestAt ?? null;
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    const rows: unknown = await this.#parts.database
      .entities()
      .execute(
        'select d.reason, d.error, d.buried_at, l.request from payment_dead_letters d ' +
          'join payment_log l on l.log_offset = d.log_offset order by d.log_offset',
      );
    return deadLetterRows
      .parse(rows)
      .map(({ buried_at: buriedAt, request: text, ...letter }) => ({ ...letter, buriedAt, text }));
  }

  async replay(): Promise<number> {
    const count = await this.#parts.database.transaction(async (entities) => {
      const letters = await entities.find(deadLetterTable, {}, { orderBy: { logOffset: 'asc' } });
      const offsets = letters.map(({ logOffset }) => logOffset);
      await entities.nativeUpdate(paymentLogTable, { logOffset: { $in: offsets } }, { consumedAt: null });
      await entities.nativeDelete(deadLetterTable, { logOffset: { $in: offsets } });
      return offsets.length;
    });
    this.#consumer?.lookOver();
    return count;
  }

  /** What was put aside stays until somebody has looked at it. */
  async #dropOld(): Promise<void> {
    const { outside, database } = this.#parts;
    await database
      .entities()
      .execute(
        'delete from payment_log where consumed_at < ? and log_offset not in (select log_offset from payment_dead_letters)',
        [outside.clock.now() - CONSUMED_KEPT_MS],
        'run',
      );
  }

  async #insert(lists: readonly (readonly PaymentRequest[])[]): Promise<readonly null[]> {
    const { outside, database, records } = this.#parts;
    const appendedAt = outside.clock.now();
    // Within one statement a repeated key would be touched twice, which MySQL and SQLite treat differently.
    const unique = new Map(lists.flat().map((request) => [request.orderId, request]));
    const rows = [...unique.values()].map((request) => {
      const { schema: form, text, mac } = records.write(request);
      const { orderId, show: showId } = request;
      return { orderId, showId, request: text, form, mac, appendedAt, consumedAt: null };
    });
    const progress = { inserted: false };
    try {
      await database.transaction(async (entities) => {
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
      this.#parts.count?.('refused', rows.length);
      throw new AppendRefusedError('the payment log did not take the requests', { cause });
    }
    this.#parts.count?.('appended', rows.length);
    return lists.map(() => null);
  }

  async #markConsumed(lists: readonly (readonly number[])[]): Promise<readonly null[]> {
    const { outside, database } = this.#parts;
    await database
      .entities()
      .nativeUpdate(
        paymentLogTable,
        { logOffset: { $in: lists.flat() } },
        { consumedAt: outside.clock.now() },
      );
    return lists.map(() => null);
  }

  async #bury(offsets: readonly number[], reason: DeadLetterReason, cause: unknown): Promise<void> {
    const { outside, database } = this.#parts;
    const buriedAt = outside.clock.now();
    await database.transaction(async (entities) => {
      for (const logOffset of offsets) {
        await entities.insert(deadLetterTable, { logOffset, reason, error: errorText(cause), buriedAt });
      }
      await entities.nativeUpdate(
        paymentLogTable,
        { logOffset: { $in: [...offsets] } },
        { consumedAt: buriedAt },
      );
    });
  }

  async #next(after: number): Promise<readonly Taken<number>[]> {
    const rows = await this.#parts.database
      .entities()
      .find(
        paymentLogTable,
        { consumedAt: null, logOffset: { $gt: after } },
        { orderBy: { logOffset: 'asc' }, limit: BATCH_MAX },
      );
    return rows.map((row) => ({ place: row.logOffset, reading: this.#read(row) }));
  }

  #read({ form: schema, request: text, mac }: PaymentLogRow): RecordReading {
    return this.#parts.records.read({ schema, text, mac });
  }
}

interface ConsumerParts extends Omit<PaymentDeliveriesParts<number>, 'consumed' | 'settled'> {
  /** Some records above an offset that are not consumed, in their order. */
  next(after: number): Promise<readonly Taken<number>[]>;
  consumed(offsets: readonly number[]): Promise<unknown>;
}

/** Reads the table and hands out what isn't under way yet. */
class Consumer {
  readonly #parts: ConsumerParts;
  readonly #deliveries: PaymentDeliveries<number>;
  /** Offsets taken and not marked yet. */
  readonly #taken = new Set<number>();
  #readUpTo = 0;
  #fetching: Promise<void> | null = null;
  #wakeAgain = false;
  #stopped = false;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#deliveries = new PaymentDeliveries({
      ...parts,
      consumed: async (offsets) => {
        await parts.consumed(offsets);
        this.#leave(offsets);
      },
      bury: async (offsets, reason, cause) => {
        await parts.bury(offsets, reason, cause);
        this.#leave(offsets);
      },
      settled: () => this.wake(),
    });
  }

  get oldestAt(): number | null {
    return this.#deliveries.oldestAt;
  }

  /** Looks for what was appended behind the last one now, or once more if it is looking already. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#fetching) {
      this.#wakeAgain = true;
      return;
    }
    this.#fetching = this.#fetch()
      .catch((cause: unknown) => this.#parts.outside.report('the payment log could not be read', cause))
      .finally(() => {
        this.#fetching = null;
        if (this.#wakeAgain) {
          this.#wakeAgain = false;
          this.wake();
        }
      });
  }

  /** Looks at everything that isn't consumed. */
  lookOver(): void {
    this.#readUpTo = 0;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#fetching;
    await this.#deliveries.stop();
  }

  #leave(offsets: readonly number[]): void {
    for (const offset of offsets) this.#taken.delete(offset);
  }

  async #fetch(): Promise<void> {
    while (!this.#stopped && this.#deliveries.size < UNCONSUMED_MAX) {
      const found = await this.#parts.next(this.#readUpTo);
      const last = found.at(-1);
      if (!last) return;
      this.#readUpTo = last.place;
      const fresh = found.filter(({ place }) => !this.#taken.has(place));
      for (const { place } of fresh) this.#taken.add(place);
      if (fresh.length > 0) this.#deliveries.take(fresh);
      // A long backlog must not keep the event loop to itself.
      await new Promise<void>((resume) => this.#parts.outside.nextTurn(resume));
    }
  }
}

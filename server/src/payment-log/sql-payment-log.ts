import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';
import { z } from 'zod';
import { type Database, insertRows } from '../platform/database.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { ShowId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import type { Outside } from '../platform/outside.ts';
import { type DeadLetterReason, type PaymentCount, PaymentDeliveries } from './payment-deliveries.ts';
import { AppendRefusedError } from './payment-log.ts';
import type { DeadLetter, PaymentGiveUp, PaymentHandler, PaymentLog, PaymentRequest } from './payment-log.ts';
import type { PaymentRecords, RecordReading } from './payment-record.ts';

/** The embedded payment log; `request` is the whole payment request as JSON, in the form that `form` names. */
export const paymentLogTable = defineEntity({
  name: 'PaymentLogRecord',
  tableName: 'payment_log',
  properties: {
    logOffset: p.bigint('number').primary().autoincrement(),
    orderId: p.string(),
    showId: p.integer(),
    request: p.string(),
    form: p.string(),
    mac: p.string(),
    appendedAt: p.bigint('number'),
    consumedAt: p.bigint('number').nullable(),
  },
});

type PaymentLogRow = InferEntity<typeof paymentLogTable>;

/** Payments that were put aside, by their offset in the log. */
const deadLetterTable = defineEntity({
  name: 'PaymentDeadLetter',
  tableName: 'payment_dead_letters',
  properties: {
    logOffset: p.bigint('number').primary(),
    reason: p.string(),
    error: p.string(),
    buriedAt: p.bigint('number'),
  },
});

export const paymentLogTables = [paymentLogTable, deadLetterTable] as const;

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
  /** What was appended meanwhile is looked for once more. */
  readonly #looks: GatheredCalls<null, null>;
  #deliveries: PaymentDeliveries<number> | null = null;
  #readUpTo = 0;

  constructor(parts: SqlPaymentLogParts) {
    this.#parts = parts;
    const bounds = { itemsMax: APPEND_MAX, callsMax: 1 };
    this.#appends = new GatheredCalls((lists) => this.#insert(lists), parts.outside.nextTurn, bounds);
    this.#marks = new GatheredCalls((lists) => this.#markConsumed(lists), parts.outside.nextTurn, bounds);
    const look = { itemsMax: Infinity, callsMax: 1 };
    this.#looks = new GatheredCalls((asked) => this.#deliver(asked), parts.outside.nextTurn, look);
  }

  async append(requests: readonly PaymentRequest[]): Promise<void> {
    if (requests.length === 0) return;
    await this.#appends.add(requests);
    this.#look();
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
    const deliveries = new PaymentDeliveries<number>({
      ...this.#parts,
      handler,
      giveUp,
      consumed: async (offsets) => {
        await this.#marks.add(offsets);
      },
      bury: (...letter) => this.#bury(...letter),
      settled: () => this.#look(),
      count: (what, payments) => this.#parts.count?.(what, payments),
    });
    this.#deliveries = deliveries;
    const stopPolling = repeat(
      clock,
      POLL_INTERVAL_MS,
      async () => this.#lookOver(),
      (cause) => report('the payment log could not be polled', cause),
    );
    this.#lookOver();
    return async () => {
      this.#deliveries = null;
      await Promise.all([stopPolling(), this.#looks.add(null), deliveries.stop()]);
    };
  }

  /** When the oldest payment that waits at this worker was accepted, or null. */
  get oldestAt(): number | null {
    return this.#deliveries?.oldestAt ?? null;
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
    this.#lookOver();
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

  async #bury(offsets: readonly number[], reason: DeadLetterReason, error: string): Promise<void> {
    const { outside, database } = this.#parts;
    const buriedAt = outside.clock.now();
    await database.transaction(async (entities) => {
      const letters = offsets.map((logOffset) => ({ logOffset, reason, error, buriedAt }));
      await insertRows(entities, deadLetterTable, letters, { overwrite: true });
      await entities.nativeUpdate(
        paymentLogTable,
        { logOffset: { $in: [...offsets] } },
        { consumedAt: buriedAt },
      );
    });
  }

  /** Looks for what was appended behind the last one. */
  #look(): void {
    if (!this.#deliveries) return;
    void this.#looks
      .add(null)
      .catch((cause: unknown) => this.#parts.outside.report('the payment log could not be read', cause));
  }

  /** Looks at everything that isn't consumed; what is under way is known by its offset. */
  #lookOver(): void {
    this.#readUpTo = 0;
    this.#look();
  }

  async #deliver(asked: readonly null[]): Promise<readonly null[]> {
    for (;;) {
      const deliveries = this.#deliveries;
      if (!deliveries || deliveries.isFull) return asked;
      const rows = await this.#parts.database
        .entities()
        .find(
          paymentLogTable,
          { consumedAt: null, logOffset: { $gt: this.#readUpTo } },
          { orderBy: { logOffset: 'asc' }, limit: BATCH_MAX },
        );
      const last = rows.at(-1);
      if (!last) return asked;
      this.#readUpTo = last.logOffset;
      deliveries.take(rows.map((row) => ({ place: row.logOffset, reading: this.#read(row) })));
      // A long backlog must not keep the event loop to itself.
      await new Promise<void>((resume) => this.#parts.outside.nextTurn(resume));
    }
  }

  #read({ form: schema, request: text, mac }: PaymentLogRow): RecordReading {
    return this.#parts.records.read({ schema, text, mac });
  }
}

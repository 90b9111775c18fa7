import { DeadlockException, type SqlEntityManager, UniqueConstraintViolationException } from '@mikro-orm/sql';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import {
  holdToken,
  type OrderId,
  orderId,
  type SessionId,
  sessionId,
  type ShowId,
  showId,
} from '../platform/ids.ts';
import { type Order, type OrderStore, type OutboxRecord, type Verdict, voidReasons } from './order-store.ts';
import { type OrderRow, orderTable, outboxTable, paymentTable, soldSeatTable } from './order-tables.ts';

/** Rows of one `insert`: long statements cost memory and, past some megabytes, are refused. */
const ROWS_PER_INSERT = 1_000;

/** A lone verdict that still clashes after looking at the rows in its way met a concurrent writer each time. */
const LONE_ATTEMPTS_MAX = 10;

const statusColumn = z.enum(['confirmed', 'declined', 'voided', 'refunded']);
const seatsColumn = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.array(z.int().min(0)));
const idRows = z.array(z.object({ id: z.string() }));
const soldSeatRows = z.array(z.object({ seat: z.int(), session: z.string() }));

const paymentStatuses = { confirmed: 'captured', declined: 'declined', voided: 'voided' } as const;

/**
 * Orders in the SQL database, whichever dialect. The primary key of `sold_seats` is the arbiter of [P1]; nothing
 * here is needed for it to hold, only for the loser to get a clean answer.
 *
 * If the process dies inside `settle`, the transaction was either committed, and the outbox record will be found
 * by the relay, or it wasn't, and the payment log delivers the request again.
 */
export class SqlOrderStore implements OrderStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async settle(verdicts: readonly Verdict[], now: number): Promise<readonly OutboxRecord[]> {
    if (verdicts.length === 0) return [];
    const unique = [...new Map(verdicts.map((verdict) => [verdict.request.orderId, verdict])).values()];
    try {
      await this.#database.transaction((entities) => write(entities, unique, now));
    } catch (cause) {
      if (!isRivalry(cause)) throw cause;
      for (const verdict of unique) await this.#settleAlone(verdict, now);
    }
    return this.#records(verdicts.map((verdict) => verdict.request.orderId));
  }

  async byIds(ids: readonly OrderId[]): Promise<readonly Order[]> {
    if (ids.length === 0) return [];
    const entities = this.#database.entities();
    return withParts(entities, await entities.find(orderTable, { id: { $in: [...ids] } }));
  }

  async byKey(session: SessionId, idempotencyKey: string): Promise<Order | null> {
    const entities = this.#database.entities();
    const rows = await entities.find(orderTable, { sessionId: session, idempotencyKey });
    const [order = null] = await withParts(entities, rows);
    return order;
  }

  async ofSessions(
    sessions: readonly SessionId[],
    limit: number,
  ): Promise<ReadonlyMap<SessionId, readonly Order[]>> {
    if (sessions.length === 0) return new Map();
    const entities = this.#database.entities();
    // Each session's newest by themselves: a buyer with a long history must not crowd out another's ticket.
    const newest: unknown = await entities.execute(
      'select id from (select id, row_number() over (partition by session_id order by created_at desc, id desc) ' +
        `as place from orders where session_id in (${sessions.map(() => '?').join(', ')})) ranked where place <= ?`,
      [...sessions, limit],
    );
    const ids = idRows.parse(newest).map((row) => row.id);
    const rows = await entities.find(
      orderTable,
      { id: { $in: ids } },
      { orderBy: { createdAt: 'desc', id: 'desc' } },
    );
    const orders = Map.groupBy(await withParts(entities, rows), (order) => order.session);
    return new Map(sessions.map((session) => [session, orders.get(session) ?? []]));
  }

  async soldSeats(show: ShowId): Promise<readonly { readonly seat: number; readonly session: SessionId }[]> {
    const rows: unknown = await this.#database
      .entities()
      .execute(
        'select s.seat as seat, o.session_id as session from sold_seats s ' +
          'join orders o on o.id = s.order_id where s.show_id = ? order by s.seat',
        [show],
      );
    return soldSeatRows.parse(rows).map((row) => ({ seat: row.seat, session: sessionId(row.session) }));
  }

  async pendingOutbox(limit: number, after: number): Promise<readonly OutboxRecord[]> {
    const records = await this.#database
      .entities()
      .find(outboxTable, { appliedAt: null, id: { $gt: after } }, { orderBy: { id: 'asc' }, limit });
    const orders = await this.byIds(records.map((record) => orderId(record.orderId)));
    const byId = new Map<string, Order>(orders.map((order) => [order.id, order]));
    return records.map((record) => ({
      id: record.id,
      order: known(byId.get(record.orderId), record.orderId),
    }));
  }

  async markApplied(ids: readonly number[], now: number): Promise<void> {
    if (ids.length === 0) return;
    await this.#database
      .entities()
      .nativeUpdate(outboxTable, { id: { $in: [...ids] }, appliedAt: null }, { appliedAt: now });
  }

  /** One verdict in a transaction of its own, judged first by what is already in the database. */
  async #settleAlone(verdict: Verdict, now: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#database.transaction(async (entities) => {
          await write(entities, [await judged(entities, verdict)], now);
        });
        return;
      } catch (cause) {
        if (!(cause instanceof UniqueConstraintViolationException) || attempt === LONE_ATTEMPTS_MAX)
          throw cause;
      }
    }
  }

  async #records(ids: readonly OrderId[]): Promise<readonly OutboxRecord[]> {
    const orders = new Map((await this.byIds(ids)).map((order) => [order.id, order]));
    const rows = await this.#database
      .entities()
      .find(outboxTable, { orderId: { $in: [...ids] } }, { orderBy: { id: 'asc' } });
    const newest = new Map<string, number>(rows.map((row) => [row.orderId, row.id]));
    return ids.map((id) => ({ id: known(newest.get(id), id), order: known(orders.get(id), id) }));
  }
}

/** Another writer had the row, or (on MySQL) waited for ours while we waited for theirs. Nothing was written. */
function isRivalry(cause: unknown): boolean {
  return cause instanceof UniqueConstraintViolationException || cause instanceof DeadlockException;
}

/** Writes the verdicts of orders that are not final yet, a few multi-row statements in all. */
async function write(entities: SqlEntityManager, verdicts: readonly Verdict[], now: number): Promise<void> {
  const ids = verdicts.map((verdict) => verdict.request.orderId);
  const finals = await entities.find(orderTable, { id: { $in: ids } }, { fields: ['id'] });
  const final = new Set(finals.map((row) => row.id));
  const fresh = verdicts.filter((verdict) => !final.has(verdict.request.orderId));

  await insertRows(
    fresh.map((verdict) => orderRow(verdict, now)),
    (rows) => entities.insertMany(orderTable, rows),
  );
  await insertRows(
    fresh.map((verdict) => paymentRow(verdict, now)),
    (rows) => entities.insertMany(paymentTable, rows),
  );
  await insertRows(fresh.flatMap(soldSeatsOf), (rows) => entities.insertMany(soldSeatTable, rows));
  await insertRows(
    fresh.map(({ request }) => ({ orderId: request.orderId, createdAt: now, appliedAt: null })),
    (rows) => entities.insertMany(outboxTable, rows),
  );
}

async function insertRows<Row>(
  rows: readonly Row[],
  insert: (rows: Row[]) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    await insert(rows.slice(start, start + ROWS_PER_INSERT));
  }
}

/** The verdict that can be written: as it is, or voided because of rows that another order has. */
async function judged(entities: SqlEntityManager, verdict: Verdict): Promise<Verdict> {
  const { orderId: id, show, seats, session, idempotencyKey } = verdict.request;
  const sameKey = await entities.findOne(orderTable, { sessionId: session, idempotencyKey, id: { $ne: id } });
  if (sameKey) {
    const request = { ...verdict.request, idempotencyKey: id };
    return { ...verdict, request, status: 'voided', reason: voidReasons.keyReused, tickets: [] };
  }
  if (verdict.status !== 'confirmed') return verdict;
  const clash = await entities.findOne(soldSeatTable, {
    showId: show,
    seat: { $in: [...seats] },
    orderId: { $ne: id },
  });
  return clash ? { ...verdict, status: 'voided', reason: voidReasons.seatSold, tickets: [] } : verdict;
}

function orderRow({ request, status, reason }: Verdict, now: number) {
  return {
    id: request.orderId,
    showId: request.show,
    sessionId: request.session,
    holdToken: request.holdToken,
    idempotencyKey: request.idempotencyKey,
    status,
    seats: JSON.stringify(request.seats),
    amount: request.amount,
    currency: request.currency,
    createdAt: request.createdAt,
    settledAt: now,
    reason,
  };
}

function paymentRow({ request, status, paymentReference }: Verdict, now: number) {
  return {
    orderId: request.orderId,
    status: paymentStatuses[status],
    reference: paymentReference,
    amount: request.amount,
    currency: request.currency,
    decidedAt: now,
  };
}

function soldSeatsOf({ request, status, tickets }: Verdict) {
  if (status !== 'confirmed') return [];
  return request.seats.map((seat, index) => ({
    showId: request.show,
    seat,
    orderId: request.orderId,
    ticketCode: known(tickets[index], `ticket of seat ${String(seat)}`),
  }));
}

/** Completes order rows with their payments and tickets, keeping their order. */
async function withParts(entities: SqlEntityManager, rows: readonly OrderRow[]): Promise<readonly Order[]> {
  if (rows.length === 0) return [];
  const ids = { orderId: { $in: rows.map((row) => row.id) } };
  const payments = await entities.find(paymentTable, ids);
  const soldSeats = await entities.find(soldSeatTable, ids);
  const references = new Map(payments.map((payment) => [payment.orderId, payment.reference]));
  const tickets = new Map<string, Map<number, string>>();
  for (const sold of soldSeats) {
    const ofOrder = tickets.get(sold.orderId) ?? new Map<number, string>();
    tickets.set(sold.orderId, ofOrder.set(sold.seat, sold.ticketCode));
  }
  return rows.map((row) => orderOf(row, references.get(row.id) ?? '', tickets.get(row.id)));
}

function orderOf(row: OrderRow, paymentReference: string, tickets?: ReadonlyMap<number, string>): Order {
  const seats = seatsColumn.parse(row.seats);
  return {
    id: orderId(row.id),
    show: showId(row.showId),
    session: sessionId(row.sessionId),
    holdToken: holdToken(row.holdToken),
    idempotencyKey: row.idempotencyKey,
    status: statusColumn.parse(row.status),
    seats,
    amount: row.amount,
    currency: row.currency,
    createdAt: row.createdAt,
    settledAt: row.settledAt,
    reason: row.reason,
    paymentReference,
    tickets: tickets ? seats.map((seat) => known(tickets.get(seat), `ticket of seat ${String(seat)}`)) : [],
  };
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the database has lost a part of an order: ${what}`);
  return value;
}

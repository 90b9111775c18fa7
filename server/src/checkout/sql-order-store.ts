import {
  DeadlockException,
  defineEntity,
  type InferEntity,
  p,
  type SqlEntityManager,
  UniqueConstraintViolationException,
} from '@mikro-orm/sql';
import { type Database, insertRows } from '../platform/database.ts';
import type { HoldToken, OrderId, SessionId, ShowId } from '../platform/ids.ts';
import {
  type Order,
  type OrderStore,
  type OutboxRecord,
  type SeatRange,
  type SoldSeat,
  type Verdict,
  voidReasons,
} from './order-store.ts';

/** An order with its outcome. `seats` is a JSON array in the order they were taken. */
const orderTable = defineEntity({
  name: 'Order',
  tableName: 'orders',
  properties: {
    id: p.string().$type<OrderId>().primary(),
    showId: p.integer().$type<ShowId>(),
    sessionId: p.string().$type<SessionId>(),
    holdToken: p.bigint('number').$type<HoldToken>(),
    idempotencyKey: p.string(),
    status: p.string().$type<Order['status']>(),
    seats: p.string(),
    amount: p.bigint('number'),
    currency: p.string(),
    createdAt: p.bigint('number'),
    settledAt: p.bigint('number'),
    reason: p.string(),
  },
});

/**
 * What is to stand at the payment gateway for an order: a voided one stays in the outbox until the gateway has
 * voided it too.
 */
const paymentTable = defineEntity({
  name: 'Payment',
  tableName: 'payments',
  properties: {
    orderId: p.string().$type<OrderId>().primary(),
    status: p.string(),
    reference: p.string(),
    amount: p.bigint('number'),
    currency: p.string(),
    decidedAt: p.bigint('number'),
  },
});

/** One row per sold seat; its primary key is what keeps a seat from being sold twice [P1]. */
const soldSeatTable = defineEntity({
  name: 'SoldSeat',
  tableName: 'sold_seats',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    seat: p.integer().primary(),
    orderId: p.string().$type<OrderId>(),
    ticketCode: p.string(),
  },
});

/** An order whose effect on live seats and gateway is still to be seen; `appliedAt` is null until then. */
const outboxTable = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    orderId: p.string().$type<OrderId>(),
    createdAt: p.bigint('number'),
    appliedAt: p.bigint('number').nullable(),
  },
});

type OrderRow = InferEntity<typeof orderTable>;

export const orderTables = [orderTable, paymentTable, soldSeatTable, outboxTable] as const;

/** A lone verdict that still clashes after looking at the rows in its way met a concurrent writer each time. */
const LONE_ATTEMPTS_MAX = 10;

const EVERY_SEAT: SeatRange = { from: 0, to: 2 ** 31 - 1 };

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

  /**
   * Written first and looked at only where something is in the way: whoever asks has just seen that the orders are not
   * final, and rivals for a seat are rare.
   */
  async settle(verdicts: readonly Verdict[], now: number): Promise<readonly OutboxRecord[]> {
    if (verdicts.length === 0) return [];
    const unique = [...new Map(verdicts.map((verdict) => [verdict.request.orderId, verdict])).values()];
    const records = new Map((await this.#settled(unique, now)).map((record) => [record.order.id, record]));
    return verdicts.map(({ request: { orderId: id } }) => known(records.get(id), id));
  }

  async byIds(ids: readonly OrderId[]): Promise<readonly Order[]> {
    return [...(await finalOrders(this.#database.entities(), ids)).values()];
  }

  async ofSessions(
    sessions: readonly SessionId[],
    limit: number,
  ): Promise<ReadonlyMap<SessionId, readonly Order[]>> {
    if (sessions.length === 0) return new Map();
    const entities = this.#database.entities();
    // Each session's newest by themselves: a buyer with a long history must not crowd out another's ticket.
    const newest = await entities.execute<{ id: OrderId }[]>(
      'select id from (select id, created_at, row_number() over (partition by session_id order by created_at desc, ' +
        'id desc) as place from orders where session_id in (?)) ranked where place <= ? ' +
        'order by created_at desc, id desc',
      [sessions, limit],
    );
    const found = await finalOrders(
      entities,
      newest.map(({ id }) => id),
    );
    const orders = Map.groupBy(found.values(), (order) => order.session);
    return new Map(sessions.map((session) => [session, orders.get(session) ?? []]));
  }

  soldSeats(show: ShowId, { from, to }: SeatRange = EVERY_SEAT): Promise<readonly SoldSeat[]> {
    return this.#database
      .entities()
      .execute<SoldSeat[]>(
        'select s.seat as seat, o.session_id as session from sold_seats s join orders o on o.id = s.order_id ' +
          'where s.show_id = ? and s.seat >= ? and s.seat < ? order by s.seat',
        [show, from, to],
      );
  }

  async soldCounts(): Promise<ReadonlyMap<ShowId, number>> {
    const sql = 'select show_id as shown, count(*) as sold from sold_seats group by show_id';
    const rows = await this.#database.entities().execute<{ shown: ShowId; sold: number }[]>(sql);
    return new Map(rows.map(({ shown, sold }) => [shown, sold]));
  }

  async pendingOutbox(limit: number, after: number): Promise<readonly OutboxRecord[]> {
    const entities = this.#database.entities();
    const where = { appliedAt: null, id: { $gt: after } };
    const records = await entities.find(outboxTable, where, { orderBy: { id: 'asc' }, limit });
    const orders = await finalOrders(
      entities,
      records.map((record) => record.orderId),
    );
    return records.map(({ id, orderId }) => ({ id, order: known(orders.get(orderId), orderId) }));
  }

  async markApplied(ids: readonly number[], now: number): Promise<void> {
    if (ids.length === 0) return;
    await this.#database
      .entities()
      .execute('update outbox set applied_at = ? where id in (?) and applied_at is null', [now, ids], 'run');
  }

  async #settled(verdicts: readonly Verdict[], now: number): Promise<readonly OutboxRecord[]> {
    try {
      return await this.#database.transaction((entities) => insertVerdicts(entities, verdicts, now));
    } catch (cause) {
      if (!isRivalry(cause)) throw cause;
    }
    const records: OutboxRecord[] = [];
    for (const verdict of verdicts) records.push(...(await this.#settleAlone(verdict, now)));
    return records;
  }

  /** One verdict in a transaction of its own, judged first by what is already in the database. */
  async #settleAlone(verdict: Verdict, now: number): Promise<readonly OutboxRecord[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#database.transaction(async (entities) => {
          const final = await finalOrders(entities, [verdict.request.orderId]);
          if (final.size > 0) return withRecords(entities, [...final.values()]);
          return insertVerdicts(entities, [await judged(entities, verdict)], now);
        });
      } catch (cause) {
        if (!(cause instanceof UniqueConstraintViolationException) || attempt === LONE_ATTEMPTS_MAX)
          throw cause;
      }
    }
  }
}

/**
 * Writes verdicts of orders that are not final yet, in four statements if they are not very many. A rival's row in the
 * way fails it (`UniqueConstraintViolationException`): the transaction is then to be rolled back.
 */
async function insertVerdicts(
  entities: SqlEntityManager,
  verdicts: readonly Verdict[],
  now: number,
): Promise<readonly OutboxRecord[]> {
  const orders = verdicts.map((verdict) => orderOf(verdict, now));
  const rows = orders.map(({ show, session, paymentReference: _, tickets: __, ...order }): OrderRow => {
    return { ...order, showId: show, sessionId: session, seats: JSON.stringify(order.seats) };
  });
  await insertRows(entities, orderTable, rows);
  const payments = verdicts.map(({ request: { orderId, amount, currency }, status, paymentReference }) => ({
    ...{ orderId, status: paymentStatuses[status], reference: paymentReference, amount, currency },
    decidedAt: now,
  }));
  await insertRows(entities, paymentTable, payments);
  const sold = orders.flatMap(({ id, show, seats, tickets }) =>
    tickets.map((ticketCode, index) => ({
      ...{ showId: show, seat: known(seats[index], `seat of ticket ${index}`), orderId: id, ticketCode },
    })),
  );
  await insertRows(entities, soldSeatTable, sold);
  const outbox = orders.map(({ id }) => ({ orderId: id, createdAt: now }));
  await insertRows(entities, outboxTable, outbox);
  return withRecords(entities, orders);
}

/** The order that a verdict makes, as it will be read. */
function orderOf(verdict: Verdict, now: number): Order {
  const { request, status, reason, paymentReference, tickets } = verdict;
  const { orderId: id, show, session, holdToken: token, idempotencyKey, seats } = request;
  const { amount, currency, createdAt } = request;
  return {
    ...{ id, show, session, holdToken: token, idempotencyKey, status, seats, amount, currency, createdAt },
    ...{ settledAt: now, reason, paymentReference, tickets: status === 'confirmed' ? tickets : [] },
  };
}

/** Those of the orders that are final, with payment and tickets, in the order asked. */
async function finalOrders(
  entities: SqlEntityManager,
  ids: readonly OrderId[],
): Promise<ReadonlyMap<OrderId, Order>> {
  if (ids.length === 0) return new Map();
  const isOfOne = { orderId: { $in: ids } };
  const rows = await entities
    .qb(orderTable)
    .select('*')
    .where({ id: { $in: ids } })
    .execute<OrderRow[]>();
  if (rows.length === 0) return new Map();
  const found = new Map(rows.map((row) => [row.id, row]));
  const payments = await entities.find(paymentTable, isOfOne);
  const references = new Map(payments.map((row) => [row.orderId, row.reference]));
  const sold = await entities.find(soldSeatTable, isOfOne);
  const tickets = new Map(sold.map((row) => [`${row.orderId} ${row.seat}`, row.ticketCode]));
  return new Map(
    ids.flatMap((id) => {
      const row = found.get(id);
      if (!row) return [];
      const { showId, sessionId, ...rest } = row;
      // `insertVerdicts` wrote them.
      const seats = JSON.parse(row.seats) as number[];
      const ticketOf = (seat: number): string =>
        known(tickets.get(`${id} ${seat}`), `ticket of seat ${seat}`);
      const order: Order = {
        ...{ ...rest, show: showId, session: sessionId, seats, paymentReference: references.get(id) ?? '' },
        tickets: row.status === 'confirmed' ? seats.map(ticketOf) : [],
      };
      return [[id, order] as const];
    }),
  );
}

/**
 * Final orders with their newest outbox records. The records are asked for by their orders: which numbers a database
 * gives to the rows of an insert, beside those of other workers, is a matter of its settings.
 */
async function withRecords(
  entities: SqlEntityManager,
  orders: readonly Order[],
): Promise<readonly OutboxRecord[]> {
  const ids = orders.map((order) => order.id);
  const records = await entities.execute<{ id: number; order_id: OrderId }[]>(
    'select id, order_id from outbox where order_id in (?) order by id',
    [ids],
  );
  const newest = new Map(records.map((row) => [row.order_id, row.id]));
  return orders.map((order) => ({ id: known(newest.get(order.id), `outbox record of ${order.id}`), order }));
}

/** Another writer had the row, or (on MySQL) waited for ours while we waited for theirs. Nothing was written. */
function isRivalry(cause: unknown): boolean {
  return cause instanceof UniqueConstraintViolationException || cause instanceof DeadlockException;
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

/** What must be there, or the database has lost it. */
function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the database has lost a part of an order: ${what}`);
  return value;
}

import { DeadlockException, type SqlEntityManager, UniqueConstraintViolationException } from '@mikro-orm/sql';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { type OrderId, orderId, type SessionId, sessionId, type ShowId } from '../platform/ids.ts';
import {
  type Order,
  type OrderStore,
  type OutboxRecord,
  type SeatRange,
  type SoldSeat,
  type Verdict,
  voidReasons,
} from './order-store.ts';
import { orderTable, outboxTable, soldSeatTable } from './order-tables.ts';
import {
  insertVerdicts,
  known,
  ordersOf,
  placeholders,
  SELECT_ORDERS,
  withRecords,
} from './sql-order-rows.ts';

/** A lone verdict that still clashes after looking at the rows in its way met a concurrent writer each time. */
const LONE_ATTEMPTS_MAX = 10;

const EVERY_SEAT: SeatRange = { from: 0, to: 2 ** 31 - 1 };

const soldSeatRows = z.array(z.object({ seat: z.int(), session: z.string() }));

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

  byIds(ids: readonly OrderId[]): Promise<readonly Order[]> {
    return finalOrders(this.#database.entities(), ids);
  }

  async byKey(session: SessionId, idempotencyKey: string): Promise<Order | null> {
    const entities = this.#database.entities();
    const found: unknown = await entities.execute(
      `${SELECT_ORDERS} where o.session_id = ? and o.idempotency_key = ?`,
      [session, idempotencyKey],
    );
    const [order = null] = await ordersOf(entities, found);
    return order;
  }

  async ofSessions(
    sessions: readonly SessionId[],
    limit: number,
  ): Promise<ReadonlyMap<SessionId, readonly Order[]>> {
    if (sessions.length === 0) return new Map();
    const entities = this.#database.entities();
    // Each session's newest by themselves: a buyer with a long history must not crowd out another's ticket.
    const newest =
      'select id from (select id, row_number() over (partition by session_id order by created_at desc, id desc) ' +
      `as place from orders where session_id in (${placeholders(sessions)})) ranked where place <= ?`;
    const found: unknown = await entities.execute(
      `${SELECT_ORDERS} join (${newest}) n on n.id = o.id order by o.created_at desc, o.id desc`,
      [...sessions, limit],
    );
    const orders = Map.groupBy(await ordersOf(entities, found), (order) => order.session);
    return new Map(sessions.map((session) => [session, orders.get(session) ?? []]));
  }

  async soldSeats(show: ShowId, { from, to }: SeatRange = EVERY_SEAT): Promise<readonly SoldSeat[]> {
    const rows: unknown = await this.#database
      .entities()
      .execute(
        'select s.seat as seat, o.session_id as session from sold_seats s join orders o on o.id = s.order_id ' +
          'where s.show_id = ? and s.seat >= ? and s.seat < ? order by s.seat',
        [show, from, to],
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
      .execute(
        `update outbox set applied_at = ? where id in (${placeholders(ids)}) and applied_at is null`,
        [now, ...ids],
        'run',
      );
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
          if (final.length > 0) return withRecords(entities, final);
          return insertVerdicts(entities, [await judged(entities, verdict)], now);
        });
      } catch (cause) {
        if (!(cause instanceof UniqueConstraintViolationException) || attempt === LONE_ATTEMPTS_MAX)
          throw cause;
      }
    }
  }
}

async function finalOrders(entities: SqlEntityManager, ids: readonly OrderId[]): Promise<readonly Order[]> {
  if (ids.length === 0) return [];
  const found: unknown = await entities.execute(`${SELECT_ORDERS} where o.id in (${placeholders(ids)})`, [
    ...ids,
  ]);
  return ordersOf(entities, found);
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

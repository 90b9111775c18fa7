import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import type { Order, OutboxRecord, Verdict } from './order-store.ts';

/**
 * The rows of final orders, written and read in plain statements: entities would cost a multiple of what the database
 * needs for them, and nothing here changes an order that it has read.
 */

/** Rows of one `insert`: long statements cost memory and, past some megabytes, are refused. */
const ROWS_PER_INSERT = 1_000;

/** Reads a final order with its payment, ahead of a `where` or a `join`. */
export const SELECT_ORDERS =
  'select o.id, o.show_id, o.session_id, o.hold_token, o.idempotency_key, o.status, o.seats, o.amount, o.currency, ' +
  'o.created_at, o.settled_at, o.reason, p.reference from orders o left join payments p on p.order_id = o.id';

const orderRows = z.array(
  z.object({
    id: z.string(),
    show_id: z.int(),
    session_id: z.string(),
    hold_token: z.int(),
    idempotency_key: z.string(),
    status: z.enum(['confirmed', 'declined', 'voided', 'refunded']),
    seats: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(z.array(z.int().min(0))),
    amount: z.int(),
    currency: z.string(),
    created_at: z.int(),
    settled_at: z.int(),
    reason: z.string(),
    reference: z.string().nullable(),
  }),
);
const ticketRows = z.array(z.object({ order_id: z.string(), seat: z.int(), ticket_code: z.string() }));
const outboxRows = z.array(z.object({ id: z.int(), order_id: z.string() }));

const paymentStatuses = { confirmed: 'captured', declined: 'declined', voided: 'voided' } as const;

type Value = string | number | null;

/** So many placeholders of a list, to go between brackets. */
export function placeholders(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

/**
 * Writes verdicts of orders that are not final yet, in four statements if they are not very many. A rival's row in the
 * way fails it (`UniqueConstraintViolationException`): the transaction is then to be rolled back.
 */
export async function insertVerdicts(
  entities: SqlEntityManager,
  verdicts: readonly Verdict[],
  now: number,
): Promise<readonly OutboxRecord[]> {
  const orders = verdicts.map((verdict) => orderOf(verdict, now));
  await insert(
    entities,
    'orders (id, show_id, session_id, hold_token, idempotency_key, status, seats, amount, currency, created_at, ' +
      'settled_at, reason)',
    orders.map((order) => [
      order.id,
      order.show,
      order.session,
      order.holdToken,
      order.idempotencyKey,
      order.status,
      JSON.stringify(order.seats),
      order.amount,
      order.currency,
      order.createdAt,
      order.settledAt,
      order.reason,
    ]),
  );
  await insert(
    entities,
    'payments (order_id, status, reference, amount, currency, decided_at)',
    verdicts.map(({ request, status, paymentReference }) => [
      request.orderId,
      paymentStatuses[status],
      paymentReference,
      request.amount,
      request.currency,
      now,
    ]),
  );
  await insert(entities, 'sold_seats (show_id, seat, order_id, ticket_code)', orders.flatMap(soldSeatsOf));
  await insert(
    entities,
    'outbox (order_id, created_at)',
    orders.map((order) => [order.id, now]),
  );
  return withRecords(entities, orders);
}

/** Completes order rows, as `SELECT_ORDERS` finds them, with their tickets, keeping their order. */
export async function ordersOf(entities: SqlEntityManager, found: unknown): Promise<readonly Order[]> {
  const rows = orderRows.parse(found);
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const sold: unknown = await entities.execute(
    `select order_id, seat, ticket_code from sold_seats where order_id in (${placeholders(ids)})`,
    ids,
  );
  const tickets = new Map<string, Map<number, string>>();
  for (const { order_id: id, seat, ticket_code: code } of ticketRows.parse(sold)) {
    const ofOrder = tickets.get(id) ?? new Map<number, string>();
    tickets.set(id, ofOrder.set(seat, code));
  }
  return rows.map((row) => {
    const ofOrder = tickets.get(row.id);
    return {
      id: orderId(row.id),
      show: showId(row.show_id),
      session: sessionId(row.session_id),
      holdToken: holdToken(row.hold_token),
      idempotencyKey: row.idempotency_key,
      status: row.status,
      seats: row.seats,
      amount: row.amount,
      currency: row.currency,
      createdAt: row.created_at,
      settledAt: row.settled_at,
      reason: row.reason,
      paymentReference: row.reference ?? '',
      tickets: ofOrder ? row.seats.map((seat) => known(ofOrder.get(seat), `ticket of seat ${seat}`)) : [],
    };
  });
}

/**
 * Final orders with their newest outbox records. The records are asked for by their orders: which numbers a database
 * gives to the rows of an insert, beside those of other workers, is a matter of its settings.
 */
export async function withRecords(
  entities: SqlEntityManager,
  orders: readonly Order[],
): Promise<readonly OutboxRecord[]> {
  if (orders.length === 0) return [];
  const ids = orders.map((order) => order.id);
  const rows: unknown = await entities.execute(
    `select id, order_id from outbox where order_id in (${placeholders(ids)}) order by id`,
    ids,
  );
  const newest = new Map<string, number>(outboxRows.parse(rows).map((row) => [row.order_id, row.id]));
  return orders.map((order) => ({ id: known(newest.get(order.id), `outbox record of ${order.id}`), order }));
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

function soldSeatsOf({ id, show, status, seats, tickets }: Order): readonly (readonly Value[])[] {
  if (status !== 'confirmed') return [];
  return seats.map((seat, index) => [show, seat, id, known(tickets[index], `ticket of seat ${seat}`)]);
}

/** @param into table and columns, in the order in which every row has its values */
async function insert(
  entities: SqlEntityManager,
  into: string,
  rows: readonly (readonly Value[])[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    const some = rows.slice(start, start + ROWS_PER_INSERT);
    const values = some.map((row) => `(${placeholders(row)})`).join(', ');
    await entities.execute(`insert into ${into} values ${values}`, some.flat(), 'run');
  }
}

/** What must be there, or the database has lost it. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the database has lost a part of an order: ${what}`);
  return value;
}

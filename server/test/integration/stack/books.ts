import { createConnection } from 'mysql2/promise';
import { z } from 'zod';

const orderRows = z.array(
  z.object({
    id: z.string(),
    show_id: z.number(),
    session_id: z.string(),
    idempotency_key: z.string(),
    status: z.string(),
    reason: z.string(),
    seats: z.string().transform((text): number[] => z.array(z.number()).parse(JSON.parse(text))),
  }),
);
const soldRows = z.array(
  z.object({ show_id: z.number(), seat: z.number(), order_id: z.string(), ticket_code: z.string() }),
);

/** What the database says, read from outside while the nodes run. */
export interface Books {
  readonly orders: z.infer<typeof orderRows>;
  readonly sold: z.infer<typeof soldRows>;
}

export async function readBooks(databaseUrl: string): Promise<Books> {
  const connection = await createConnection(databaseUrl);
  try {
    // One moment for both tables.
    await connection.query('set transaction isolation level repeatable read');
    await connection.beginTransaction();
    const [orders] = await connection.query(
      'select id, show_id, session_id, idempotency_key, status, reason, seats from orders',
    );
    const [sold] = await connection.query('select show_id, seat, order_id, ticket_code from sold_seats');
    await connection.commit();
    return { orders: orderRows.parse(orders), sold: soldRows.parse(sold) };
  } finally {
    await connection.end();
  }
}

/** Seats that the database has sold of a show, rising. */
export function soldSeatsOf({ sold }: Books, show: number): readonly number[] {
  return sold
    .filter((row) => row.show_id === show)
    .map(({ seat }) => seat)
    .toSorted((a, b) => a - b);
}

/**
 * What is wrong in the books, in words; empty where the promises hold: every accepted order has one final row, no
 * idempotency key two, the sold seats are exactly those of confirmed orders, and none is there twice [P1] [P2].
 */
export function faultsOf({ orders, sold }: Books, accepted: Iterable<string>): readonly string[] {
  const faults: string[] = [];
  const byId = new Map(orders.map((order) => [order.id, order]));
  for (const id of accepted) if (!byId.has(id)) faults.push(`order ${id} was accepted and has no outcome`);
  const keys = new Set(orders.map((order) => `${order.session_id} ${order.idempotency_key}`));
  if (keys.size !== orders.length) faults.push('an idempotency key has two orders');
  const expected = orders
    .filter((order) => order.status === 'confirmed')
    .flatMap((order) => order.seats.map((seat) => `${order.show_id}:${seat} of ${order.id}`));
  const found = new Set(sold.map((row) => `${row.show_id}:${row.seat} of ${row.order_id}`));
  for (const seat of expected) if (!found.delete(seat)) faults.push(`seat ${seat} is confirmed and not sold`);
  for (const seat of found) faults.push(`seat ${seat} is sold and not confirmed`);
  const owned = new Set(sold.map((row) => `${row.show_id}:${row.seat}`));
  if (owned.size !== sold.length) faults.push('a seat is sold twice');
  return faults;
}

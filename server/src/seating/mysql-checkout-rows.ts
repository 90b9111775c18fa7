import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import { holdToken, type OrderId, orderId, sessionId, type ShowId } from '../platform/ids.ts';
import type { RememberedCheckout } from './seat-books.ts';

/** The rows of checkouts that have no outcome yet: each is there from the freeze of its hold until it is settled. */

const count = z.int().min(0);
const request = z.object({
  holdToken: count.transform(holdToken),
  idempotencyKey: z.string(),
  seats: z.array(count),
  amount: count,
  begunAt: count,
});
const checkoutRows: z.ZodType<readonly RememberedCheckout[]> = z.array(
  z
    .object({
      order_id: z.string().transform(orderId),
      session_id: z.string().transform(sessionId),
      due_at: count,
      request: z
        .string()
        .transform((text): unknown => JSON.parse(text))
        .pipe(request),
    })
    .transform((row) => ({
      ...row.request,
      orderId: row.order_id,
      session: row.session_id,
      dueAt: row.due_at,
    })),
);

const COLUMNS = 'order_id, session_id, due_at, request';

/** Those of the orders' checkouts that have no outcome; rows are locked in the order of their keys. */
export async function checkoutsOf(
  entities: SqlEntityManager,
  show: ShowId,
  orders: readonly OrderId[],
): Promise<readonly RememberedCheckout[]> {
  if (orders.length === 0) return [];
  const sql =
    `select ${COLUMNS} from live_checkouts force index (primary) ` +
    'where show_id = ? and order_id in (?) order by order_id for update nowait';
  return checkoutRows.parse(await entities.execute(sql, [show, orders]));
}

/** The first checkouts that somebody has to look after. */
export async function dueCheckouts(
  entities: SqlEntityManager,
  show: ShowId,
  now: number,
  limit: number,
): Promise<readonly RememberedCheckout[]> {
  const sql = `select ${COLUMNS} from live_checkouts where show_id = ? and due_at <= ? order by due_at limit ?`;
  return checkoutRows.parse(await entities.execute(sql, [show, now, limit]));
}

export async function writeCheckouts(
  entities: SqlEntityManager,
  show: ShowId,
  checkouts: readonly RememberedCheckout[],
): Promise<void> {
  if (checkouts.length === 0) return;
  const rows = checkouts.map((one) => {
    const { holdToken: token, idempotencyKey, seats, amount, begunAt } = one;
    const text = JSON.stringify({ holdToken: token, idempotencyKey, seats, amount, begunAt });
    return [show, one.orderId, one.session, one.dueAt, text];
  });
  await entities.execute(
    `insert into live_checkouts (show_id, ${COLUMNS}) values ${rows.map(() => '(?, ?, ?, ?, ?)').join(', ')}` +
      ' on duplicate key update due_at = values(due_at)',
    rows.flat(),
    'run',
  );
}

export async function forgetCheckouts(
  entities: SqlEntityManager,
  show: ShowId,
  orders: readonly OrderId[],
): Promise<void> {
  if (orders.length === 0) return;
  await entities.execute(
    'delete c from live_checkouts as c force index (primary) where c.show_id = ? and c.order_id in (?)',
    [show, orders],
    'run',
  );
}

import { performance } from 'node:perf_hooks';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { z } from 'zod';

const ROWS_PER_INSERT = 300;
const MS_PER_SECOND = 1_000;
/** Tables of one sale, with the rows that belong to a show. */
const TABLES = [
  ['orders', 'select * from orders where show_id = ?'],
  ['payments', 'select p.* from payments p join orders o on o.id = p.order_id where o.show_id = ?'],
  ['sold_seats', 'select * from sold_seats where show_id = ?'],
  ['outbox', 'select b.* from outbox b join orders o on o.id = b.order_id where o.show_id = ?'],
] as const;

const counts = z.array(z.object({ seats: z.coerce.number(), orders: z.coerce.number() })).length(1);

/** What the database sold of a show. Seats are its primary key: none can be there twice [P1]. */
export async function readSold(url: string, show: number): Promise<{ seats: number; orders: number }> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query(
      'select count(distinct seat) as seats, count(distinct order_id) as orders from sold_seats where show_id = ?',
      [show],
    );
    const [row = { seats: 0, orders: 0 }] = counts.parse(rows);
    return row;
  } finally {
    await connection.end();
  }
}

/**
 * Seconds that it takes to insert every row that a show's sale left into empty tables of the same kind, some hundred a
 * statement, with nothing else to do.
 */
export async function secondsToInsertAgain(url: string, show: number): Promise<number> {
  const connection = await createConnection(url);
  try {
    let seconds = 0;
    for (const [table, select] of TABLES) {
      const copy = `bench_${table}`;
      const [rows] = await connection.query<RowDataPacket[]>({ sql: select, rowsAsArray: true }, [show]);
      await connection.query(`drop table if exists ${copy}`);
      await connection.query(`create table ${copy} like ${table}`);
      const startedAt = performance.now();
      for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
        await connection.query(`insert into ${copy} values ?`, [rows.slice(from, from + ROWS_PER_INSERT)]);
      }
      seconds += (performance.now() - startedAt) / MS_PER_SECOND;
      await connection.query(`drop table ${copy}`);
    }
    return seconds;
  } finally {
    await connection.end();
  }
}

import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
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

const SCRIPT_CALLS = /cmdstat_(?:evalsha|eval):calls=(\d+)/g;
const COUNTERS = "show global status where Variable_name in ('Questions', 'Handler_commit')";

async function connected<T>(url: string, ask: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection(url);
  return ask(connection).finally(() => connection.end());
}

/** Calls of scripts since Redis started, by its own count. */
export async function scriptCalls(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl);
  const info = await redis.info('commandstats').finally(() => redis.disconnect());
  return [...info.matchAll(SCRIPT_CALLS)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

/** The servers' own counters since they started: calls of scripts in Redis, statements and commits in the database. */
export function callsMade(redisUrl: string, databaseUrl: string) {
  return connected(databaseUrl, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>(COUNTERS);
    const counter = (name: string): number =>
      Number(rows.find((row) => row['Variable_name'] === name)?.['Value'] ?? NaN);
    const scripts = await scriptCalls(redisUrl);
    return { scripts, statements: counter('Questions'), commits: counter('Handler_commit') };
  });
}

/** What the database sold of a show. Seats are its primary key: none can be there twice [P1]. */
export function readSold(url: string, show: number): Promise<{ seats: number; orders: number }> {
  return connected(url, async (connection) => {
    const [rows] = await connection.query(
      'select count(distinct seat) as seats, count(distinct order_id) as orders from sold_seats where show_id = ?',
      [show],
    );
    const [row = { seats: 0, orders: 0 }] = counts.parse(rows);
    return row;
  });
}

/**
 * Seconds that it takes to insert every row that a show's sale left into empty tables of the same kind, some hundred a
 * statement, with nothing else to do.
 */
export function secondsToInsertAgain(url: string, show: number): Promise<number> {
  return connected(url, async (connection) => {
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
  });
}

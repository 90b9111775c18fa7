import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import { z } from 'zod';
import { ConfigError } from '../../src/platform/config-error.ts';
import { databaseAddress, shownDatabase } from '../../src/platform/server-address.ts';
import { drawCommitment } from '../../src/waiting-room/draw-score.ts';
import type { ConfirmedOrder, LedgerPage, SoldRow } from './ledger.ts';
import { TaskError } from '../tasks/task.ts';

/** Where a server may keep its orders. */
export type LedgerPlace =
  | { readonly kind: 'sqlite'; readonly dataDir: string }
  /** `name` is what the address came from. */
  | { readonly kind: 'mysql'; readonly url: string; readonly name: string };

const DATABASE_FILE = 'stampede.sqlite';
const BUSY_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
const QUERY_TIMEOUT_MS = 15_000;

const showRow = z.object({ draw_seed: z.string() });
const soldRow = z.object({ seat: z.int(), order_id: z.string(), ticket_code: z.string() });
const orderRow = z.object({
  id: z.string(),
  idempotency_key: z.string(),
  seats: z.string().transform((text, context): readonly number[] => {
    const seats = z.array(z.int()).safeParse(JSON.parse(text));
    if (seats.success) return seats.data;
    context.addIssue({ code: 'custom', message: 'seats are not a list of numbers' });
    return z.NEVER;
  }),
});

/** Rows of a question about one show, whose number is its only parameter. */
type Ask = (sql: string) => Promise<readonly unknown[]>;

/**
 * Reads, and only reads, what the server's database says of a show, from the first place that is its.
 * @param commitment the server's word for its secret of this show: no other database knows what it stands for
 * @throws TaskError saying what is wrong with each place
 */
export async function readLedger(
  places: readonly LedgerPlace[],
  show: number,
  commitment: string,
): Promise<LedgerPage> {
  const reasons: string[] = [];
  for (const place of places) {
    try {
      return await (place.kind === 'sqlite'
        ? readSqlite(place.dataDir, show, commitment)
        : readMysql(place.url, place.name, show, commitment));
    } catch (cause) {
      if (!(cause instanceof TaskError)) throw cause;
      reasons.push(cause.message);
    }
  }
  throw new TaskError(reasons.join('; '));
}

async function readSqlite(dataDir: string, show: number, commitment: string): Promise<LedgerPage> {
  const file = join(dataDir, DATABASE_FILE);
  if (!existsSync(file)) throw new TaskError(`there is no ${file}; name the server's folder with --data`);
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    database = opened;
    // One transaction, so that rows and orders are of the same moment.
    database.exec('begin');
    const page = await readPage(async (sql) => opened.prepare(sql).all(show), commitment);
    if (page) return page;
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    database?.close();
  }
  throw new TaskError(`${file} belongs to another server; name this one's folder with --data`);
}

async function readMysql(url: string, name: string, show: number, commitment: string): Promise<LedgerPage> {
  const { tls, ...address } = addressOf(name, url);
  const shown = shownDatabase({ tls, ...address });
  let page: LedgerPage | null;
  try {
    const connection = await createConnection({
      ...address,
      connectTimeout: CONNECT_TIMEOUT_MS,
      timezone: 'Z',
      ...(tls && { ssl: {} }),
    });
    try {
      await connection.query('set session transaction isolation level repeatable read');
      await connection.query('start transaction with consistent snapshot, read only');
      page = await readPage(async (sql) => {
        const [rows] = await connection.query({ sql, values: [show], timeout: QUERY_TIMEOUT_MS });
        return z.array(z.unknown()).parse(rows);
      }, commitment);
    } finally {
      connection.destroy();
    }
  } catch (cause) {
    throw unreadable(shown, cause);
  }
  if (page) return page;
  throw new TaskError(`${shown} belongs to another server; name this one's with --database`);
}

function addressOf(name: string, url: string): ReturnType<typeof databaseAddress> {
  try {
    return databaseAddress(name, url);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const [problem] = cause.problems;
    throw new TaskError(`${name}: ${problem?.given ?? ''}; allowed: ${problem?.allowed ?? ''}`, {
      cause,
    });
  }
}

/** Null where the database doesn't have this show, or a show of another server under its number. */
async function readPage(ask: Ask, commitment: string): Promise<LedgerPage | null> {
  const found = showRow.safeParse((await ask('select draw_seed from shows where id = ?'))[0]);
  if (!found.success || drawCommitment(found.data.draw_seed) !== commitment) return null;
  const sold = await ask('select seat, order_id, ticket_code from sold_seats where show_id = ?');
  const confirmed = await ask(
    "select id, idempotency_key, seats from orders where show_id = ? and status = 'confirmed'",
  );
  return {
    sold: sold
      .map((row) => soldRow.parse(row))
      .map((row): SoldRow => ({ seat: row.seat, orderId: row.order_id, ticketCode: row.ticket_code })),
    confirmed: confirmed
      .map((row) => orderRow.parse(row))
      .map((row): ConfirmedOrder => ({ id: row.id, idempotencyKey: row.idempotency_key, seats: row.seats })),
  };
}

function unreadable(place: string, cause: unknown): TaskError {
  const [line = ''] = (cause instanceof Error ? cause.message || errorCode(cause) : String(cause)).split(
    '\n',
    1,
  );
  return new TaskError(`${place} can't be read: ${line}`, { cause });
}

/** Of an attempt at several addresses, whose error has no words of its own. */
function errorCode(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}

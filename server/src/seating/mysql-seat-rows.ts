import type { SqlEntityManager } from '@mikro-orm/sql';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import { z } from 'zod';
import {
  type HoldToken,
  holdToken,
  orderId,
  type SeatIndex,
  type SessionId,
  sessionId,
  type ShowId,
} from '../platform/ids.ts';
import type { LiveHold } from './seat-books.ts';

/**
 * How rows are read. `lock`: nobody else may change them until the transaction ends; if somebody is changing one
 * right now, the reader fails at once instead of waiting, so that no two steps ever wait for each other.
 */
export type Reading = 'look' | 'lock';

export interface SeatRow {
  readonly seat: SeatIndex;
  readonly status: SeatStatus;
  readonly heldBy: SessionId | null;
  readonly soldTo: SessionId | null;
}

export interface SeatWrite extends SeatRow {
  readonly section: number;
  /** How often the feed tells of the seat. */
  readonly changes: number;
}

/** Rows of one statement: of some 40 bytes each, far below what a server takes as one packet. */
const ROWS_PER_INSERT = 2_000;

const count = z.int().min(0);
const session = z.string().transform(sessionId);
const status = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
const seatRows: z.ZodType<readonly SeatRow[]> = z.array(
  z
    .object({ seat: count, status, held_by: session.nullable(), sold_to: session.nullable() })
    .transform((row) => ({ seat: row.seat, status: row.status, heldBy: row.held_by, soldTo: row.sold_to })),
);
const checkout = z.object({
  orderId: z.string().transform(orderId),
  amount: count,
  timeLeftMs: z.int(),
  begunAt: count,
  // Versions before this one told of an order as soon as its hold was frozen.
  stage: z.enum(['new', 'repeated', 'accepted']).default('accepted'),
});
const claim = z.object({
  prices: z.array(z.tuple([count, count])),
  extensionsLeft: count,
  checkout: checkout.nullable(),
  checkouts: z.array(z.tuple([z.string(), checkout])),
  revision: count.default(0),
});
const holdRows: z.ZodType<readonly LiveHold[]> = z.array(
  z
    .object({
      session_id: session,
      hold_token: count.transform(holdToken),
      expires_at: count,
      claim: z
        .string()
        .transform((text): unknown => JSON.parse(text))
        .pipe(claim),
    })
    .transform(({ claim: { prices, extensionsLeft, checkout: paying, checkouts, revision }, ...row }) => ({
      ...{ session: row.session_id, holdToken: row.hold_token, expiresAt: row.expires_at },
      ...{ prices: new Map(prices), extensionsLeft, checkouts: new Map(checkouts), revision },
      // One of its checkouts, and the same object, so that it has one stage.
      checkout: checkouts.find(([, one]) => one.orderId === paying?.orderId)?.[1] ?? null,
    })),
);
const boughtRows = z.array(z.object({ sold_to: session, seats: count }));
const sessionRows = z.array(z.object({ session_id: session }));

const HOLD_COLUMNS = 'session_id, hold_token, expires_at, claim';
const suffix = { look: '', lock: ' for update nowait' } as const;
/** Rows are locked as they are looked at: on a nearly empty table a server would rather look at all of them. */
const BY_KEY = 'force index (primary)';

/** Holds of sessions, live or over. Rows are locked in the order of their keys. */
export async function holdsOfSessions(
  entities: SqlEntityManager,
  show: ShowId,
  sessions: readonly SessionId[],
  reading: Reading,
): Promise<readonly LiveHold[]> {
  if (sessions.length === 0) return [];
  const sql =
    `select ${HOLD_COLUMNS} from live_holds ${BY_KEY} ` +
    'where show_id = ? and session_id in (?) order by session_id';
  return holdRows.parse(await entities.execute(sql + suffix[reading], [show, sessions]));
}

export async function holdOfToken(
  entities: SqlEntityManager,
  show: ShowId,
  token: HoldToken,
): Promise<readonly LiveHold[]> {
  const sql = `select ${HOLD_COLUMNS} from live_holds force index (live_holds_token) where show_id = ? and hold_token = ?`;
  return holdRows.parse(await entities.execute(sql + suffix.lock, [show, token]));
}

/** The first sessions whose hold has run out. */
export async function sessionsPastDeadline(
  entities: SqlEntityManager,
  show: ShowId,
  now: number,
  limit: number,
): Promise<readonly SessionId[]> {
  const sql =
    'select session_id from live_holds where show_id = ? and expires_at <= ? order by expires_at limit ?';
  const rows = sessionRows.parse(await entities.execute(sql, [show, now, limit]));
  return rows.map((row) => row.session_id);
}

/** Those of the sessions whose hold has run out. */
export async function pastDeadline(
  entities: SqlEntityManager,
  show: ShowId,
  sessions: readonly SessionId[],
  now: number,
): Promise<readonly SessionId[]> {
  if (sessions.length === 0) return [];
  const sql = 'select session_id from live_holds where show_id = ? and session_id in (?) and expires_at <= ?';
  const rows = sessionRows.parse(await entities.execute(sql, [show, sessions, now]));
  return rows.map((row) => row.session_id);
}

/** Seats in the order of their numbers, which is the order in which they are locked. */
export async function seatsOf(
  entities: SqlEntityManager,
  show: ShowId,
  seats: readonly SeatIndex[],
  reading: Reading,
): Promise<readonly SeatRow[]> {
  if (seats.length === 0) return [];
  const sql = `select seat, status, held_by, sold_to from live_seats ${BY_KEY} where show_id = ? and seat in (?) order by seat`;
  const rows = seatRows.parse(await entities.execute(sql + suffix[reading], [show, seats]));
  if (rows.length < seats.length) throw new Error(`show ${show} was never opened in the database`);
  return rows;
}

/** How many seats each of the sessions has bought. */
export async function boughtBy(
  entities: SqlEntityManager,
  show: ShowId,
  sessions: readonly SessionId[],
): Promise<ReadonlyMap<SessionId, number>> {
  const sql =
    'select sold_to, count(*) as seats from live_seats where show_id = ? and sold_to in (?) group by sold_to';
  const rows = boughtRows.parse(await entities.execute(sql, [show, sessions]));
  return new Map(rows.map((row) => [row.sold_to, row.seats]));
}

/** How many seats each buyer of a show has bought: a look at all its seats. */
export async function boughtByAll(
  entities: SqlEntityManager,
  show: ShowId,
): Promise<ReadonlyMap<SessionId, number>> {
  const sql =
    'select sold_to, count(*) as seats from live_seats where show_id = ? and sold_to is not null group by sold_to';
  const rows = boughtRows.parse(await entities.execute(sql, [show]));
  return new Map(rows.map((row) => [row.sold_to, row.seats]));
}

/** Makes the seats as they are written, and counts their changes on. Their rows must be locked or new. */
export async function writeSeats(
  entities: SqlEntityManager,
  show: ShowId,
  seats: readonly SeatWrite[],
): Promise<void> {
  await insertRows(
    entities,
    'insert into live_seats (show_id, seat, section, status, held_by, sold_to, changes) values ',
    seats.map((one) => [show, one.seat, one.section, one.status, one.heldBy, one.soldTo, one.changes]),
    ' on duplicate key update status = values(status), held_by = values(held_by), sold_to = values(sold_to), ' +
      'changes = changes + values(changes)',
  );
}

/** Writes holds; a buyer who had none and got one elsewhere in the same moment is a duplicate key. */
export async function writeHolds(
  entities: SqlEntityManager,
  show: ShowId,
  { added, changed, ended }: HoldWrites,
): Promise<void> {
  const insert = 'insert into live_holds (show_id, session_id, hold_token, expires_at, claim) values ';
  const row = (hold: LiveHold): unknown[] => [
    show,
    hold.session,
    hold.holdToken,
    hold.expiresAt,
    claimText(hold),
  ];
  if (ended.length > 0) {
    await entities.execute(
      `delete h from live_holds as h ${BY_KEY} where h.show_id = ? and h.session_id in (?)`,
      [show, ended],
      'run',
    );
  }
  await insertRows(entities, insert, added.map(row), '');
  await insertRows(
    entities,
    insert,
    changed.map(row),
    ' on duplicate key update hold_token = values(hold_token), expires_at = values(expires_at), claim = values(claim)',
  );
}

export interface HoldWrites {
  readonly added: readonly LiveHold[];
  readonly changed: readonly LiveHold[];
  readonly ended: readonly SessionId[];
}

/** A hold without what has a column of its own. */
export function claimText(hold: LiveHold): string {
  const { prices, extensionsLeft, checkout: paying, checkouts, revision } = hold;
  return JSON.stringify({
    prices: [...prices],
    extensionsLeft,
    checkout: paying,
    checkouts: [...checkouts],
    revision,
  });
}

/**
 * Numbers that nobody got before, rising from step to step. The database counts them without locks, and never
 * backwards: a step that is undone leaves a gap.
 */
export async function newNumbers(
  entities: SqlEntityManager,
  show: ShowId,
  howMany: number,
): Promise<readonly number[]> {
  if (howMany === 0) return [];
  const rows = Array.from({ length: howMany }, () => '(?)').join(', ');
  const { insertId } = await entities.execute<{ insertId: number }>(
    `insert into live_hold_tokens (show_id) values ${rows}`,
    Array.from({ length: howMany }, () => show),
    'run',
  );
  const numbers = Array.from({ length: howMany }, (_, index) => insertId + index);
  await entities.execute('delete from live_hold_tokens where id in (?)', [numbers], 'run');
  return numbers;
}

export async function insertRows(
  entities: SqlEntityManager,
  insert: string,
  rows: readonly (readonly unknown[])[],
  tail: string,
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    const some = rows.slice(from, from + ROWS_PER_INSERT);
    const places = some.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
    await entities.execute(insert + places + tail, some.flat(), 'run');
  }
}

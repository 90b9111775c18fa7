import { type EntitySchema, type QBFilterQuery, LockMode, type SqlEntityManager } from '@mikro-orm/sql';
import { AVAILABLE, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { appendRecord } from '../feed/mysql-show-feed.ts';
import type { FeedEntry } from '../feed/show-feed.ts';
import { insertRows } from '../platform/database.ts';
import type { OrderId, SeatIndex, SessionId, ShowId } from '../platform/ids.ts';
import {
  type LiveCheckoutRow,
  liveCheckoutTable,
  type LiveHoldRow,
  liveHoldTable,
  type LiveSeatRow,
  liveSeatTable,
  liveShowTable,
} from './mysql-seat-tables.ts';
import {
  type HeldSeat,
  type LiveCheckout,
  type LiveHold,
  type RememberedCheckout,
  SeatBooks,
} from './seat-books.ts';
import type { SeatNote, Taker } from './seat-notes.ts';
import type { SeatFacts, SeatRules } from './seat-store.ts';

/** What a step is about; the holders of its seats, and the other seats of every hold, are looked up besides. */
export interface StepScope {
  /** Those whose holds may change. */
  readonly sessions?: readonly SessionId[];
  readonly seats?: readonly SeatIndex[];
  /** Orders whose checkouts may change. */
  readonly orders?: readonly OrderId[];
  /** Those who may take seats. */
  readonly takers?: readonly Taker[];
}

/** Reads the instant of a step in its transaction. */
export type TellTime = (entities: SqlEntityManager) => Promise<number>;

/** What the rows of a part of a show were before a step. */
interface RowsBefore {
  /** How often the feed has told of each seat. */
  readonly changes: ReadonlyMap<SeatIndex, number>;
  readonly holds: ReadonlyMap<SessionId, LiveHoldRow>;
  readonly checkouts: readonly RememberedCheckout[];
}

const OVERWRITE = { overwrite: true };

/**
 * One atomic step on a part of a show, to be run in a transaction: the show's row is locked, so that steps on a show
 * follow each other; the rows are entered in books and changed by `decide`; and what changed is written back together
 * with what the feed must tell.
 * @returns what was decided, and whether the feed tells of anything
 */
export async function changeBooks<T>(
  entities: SqlEntityManager,
  rules: SeatRules,
  scope: StepScope,
  tellTime: TellTime,
  decide: (books: SeatBooks) => T,
): Promise<{ readonly value: T; readonly isTold: boolean }> {
  const show = await entities.findOne(liveShowTable, rules.show, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!show) throw new Error(`show ${rules.show} was never opened in the database`);
  const entries: FeedEntry[] = [];
  const books = new SeatBooks(rules.seatCount, await tellTime(entities), (entry) => entries.push(entry));
  books.lastToken = show.lastToken;
  const before = await enterRows(entities, rules.show, scope, books);
  const value = decide(books);
  const changes = new Map<SeatIndex, number>();
  for (const { seat } of entries.flatMap((entry) => entry.changes)) {
    changes.set(seat, (changes.get(seat) ?? before.changes.get(seat) ?? 0) + 1);
  }
  await writeRows(entities, rules, books, before, changes);
  // With the transaction, the ORM writes what changed in the show's row.
  show.lastToken = books.lastToken;
  if (entries.length > 0) {
    show.position += 1;
    await appendRecord(entities, rules.show, show.position, entries);
  }
  return { value, isTold: entries.length > 0 };
}

/**
 * Sets a show up from what is known of it, in a transaction of its own. The row of `live_shows` comes first, so that of
 * two nodes that do this at once the second waits, and then finds a duplicate key.
 */
export async function beginBooks(
  entities: SqlEntityManager,
  rules: SeatRules,
  facts: SeatFacts,
  epoch: number,
  now: number,
): Promise<void> {
  const { show: showId, seatCount, sectionCount } = rules;
  const books = new SeatBooks(seatCount, now, () => undefined);
  books.restore(rules, facts);
  const { lastToken } = books;
  await entities.insert(liveShowTable, { showId, epoch, seatCount, sectionCount, lastToken, position: 0 });
  const seats = [...books.statuses.keys()].filter((seat) => books.statuses[seat] !== AVAILABLE);
  const before = { changes: new Map(), holds: new Map(), checkouts: [] };
  await writeRows(entities, rules, books, before, new Map(seats.map((seat) => [seat, 0])));
}

/** How many seats each of some parties has, or where none are named, every one. */
export async function countSeats<Party extends string>(
  entities: SqlEntityManager,
  show: ShowId,
  column: 'sold_to' | 'held_from',
  parties?: readonly Party[],
): Promise<ReadonlyMap<Party, number>> {
  if (parties?.length === 0) return new Map();
  const which = parties ? `${column} in (?)` : `${column} is not null`;
  const rows = await entities.execute<{ party: Party; seats: number }[]>(
    `select ${column} as party, count(*) as seats from live_seats where show_id = ? and ${which} group by ${column}`,
    parties ? [show, parties] : [show],
  );
  return new Map(rows.map(({ party, seats }) => [party, seats]));
}

/** The session's hold, live or over. */
export async function findHold(
  entities: SqlEntityManager,
  show: ShowId,
  session: SessionId,
): Promise<LiveHold | null> {
  const [row] = await find(entities, liveHoldTable, show, 'sessionId', [session]);
  return row ? holdOfRow(row) : null;
}

/** Enters the rows that a step is about. */
async function enterRows(
  entities: SqlEntityManager,
  show: ShowId,
  { sessions = [], seats = [], orders = [], takers = [] }: StepScope,
  books: SeatBooks,
): Promise<RowsBefore> {
  const asked = await find(entities, liveSeatTable, show, 'seat', seats);
  const holders = asked.flatMap(({ heldBy }) => heldBy ?? []);
  const rowsOfHolds = await find(entities, liveHoldTable, show, 'sessionId', [
    ...new Set([...sessions, ...holders]),
  ]);
  const holds = rowsOfHolds.map(holdOfRow);
  const known = new Set(seats);
  const rest = holds.flatMap((hold) => [...hold.seats.keys()]).filter((seat) => !known.has(seat));
  const rows = [...asked, ...(await find(entities, liveSeatTable, show, 'seat', rest))];
  for (const { seat, status, note } of rows) {
    books.statuses[seat] = status;
    // `writeRows` wrote it, and every change of its shape is a migration.
    if (note) books.notes.set(seat, JSON.parse(note) as SeatNote);
  }
  for (const hold of holds) books.enter(hold);
  const checkouts = (await find(entities, liveCheckoutTable, show, 'orderId', orders)).map(checkoutOfRow);
  for (const checkout of checkouts) books.unsettled.set(checkout.orderId, checkout);
  const buyers = takers.map(({ session }) => session);
  const networks = new Set(takers.flatMap(({ network }) => network ?? []));
  const bought = await countSeats(entities, show, 'sold_to', buyers);
  for (const [session, count] of bought) books.bought.set(session, count);
  const heldFrom = await countSeats(entities, show, 'held_from', [...networks]);
  for (const [network, count] of heldFrom) books.heldFrom.set(network, count);
  return {
    changes: new Map(rows.map((row) => [row.seat, row.changes])),
    holds: new Map(rowsOfHolds.map((row) => [row.sessionId, row])),
    checkouts,
  };
}

/** @param changes the seats that changed, and how often the feed has told of each by now */
async function writeRows(
  entities: SqlEntityManager,
  { show, sectionOf }: SeatRules,
  books: SeatBooks,
  before: RowsBefore,
  changes: ReadonlyMap<SeatIndex, number>,
): Promise<void> {
  const seats = Array.from(changes, ([seat, told]): LiveSeatRow => {
    const [status, note, holder] = [
      books.statuses[seat] ?? AVAILABLE,
      books.notes.get(seat),
      books.holderOf(seat),
    ];
    return {
      ...{ showId: show, seat, section: sectionOf[seat] ?? 0, status, changes: told },
      heldBy: holder?.session ?? null,
      soldTo: status === SOLD ? (books.buyers.get(seat) ?? null) : null,
      heldFrom: holder?.seats.get(seat)?.network ?? null,
      note: note ? JSON.stringify(note) : null,
    };
  });
  await insertRows(entities, liveSeatTable, seats, OVERWRITE);

  const holds = Array.from(books.holds.values(), (hold) => rowOfHold(show, hold));
  const changed = holds.filter((row) => {
    const { claim, expiresAt, holdToken: token } = before.holds.get(row.sessionId) ?? {};
    return row.claim !== claim || row.expiresAt !== expiresAt || row.holdToken !== token;
  });
  await insertRows(entities, liveHoldTable, changed, OVERWRITE);
  const ended = [...before.holds.keys()].filter((session) => !books.holds.has(session));
  if (ended.length > 0) {
    const sql = 'delete from live_holds where show_id = ? and session_id in (?)';
    await entities.execute(sql, [show, ended], 'run');
  }

  const known = new Set(before.checkouts);
  const begun = [...books.unsettled.values()].filter((one) => !known.has(one));
  const checkouts = begun.map((one) => rowOfCheckout(show, one));
  await insertRows(entities, liveCheckoutTable, checkouts, OVERWRITE);
  const settled = before.checkouts.map((one) => one.orderId).filter((id) => !books.unsettled.has(id));
  if (settled.length > 0) {
    const sql = 'delete from live_checkouts where show_id = ? and order_id in (?)';
    await entities.execute(sql, [show, settled], 'run');
  }
}

/** A hold without what has a column of its own. */
interface Claim extends Pick<LiveHold, 'extensionsLeft' | 'revision'> {
  readonly seats: readonly (readonly [SeatIndex, HeldSeat])[];
  readonly checkouts: readonly (readonly [string, LiveCheckout])[];
  /** The one of its checkouts that it is frozen for. */
  readonly paying: OrderId | null;
}

function rowOfHold(showId: ShowId, hold: LiveHold): LiveHoldRow {
  const { session, holdToken, expiresAt, seats, extensionsLeft, checkouts, checkout, revision } = hold;
  const paying = checkout?.orderId ?? null;
  const claim: Claim = { seats: [...seats], extensionsLeft, checkouts: [...checkouts], paying, revision };
  return { showId, sessionId: session, holdToken, expiresAt, claim: JSON.stringify(claim) };
}

function holdOfRow({ sessionId, holdToken, expiresAt, claim }: LiveHoldRow): LiveHold {
  // `rowOfHold` wrote it, and every change of its shape is a migration.
  const { seats, extensionsLeft, checkouts, paying, revision } = JSON.parse(claim) as Claim;
  return {
    ...{ session: sessionId, holdToken, expiresAt, extensionsLeft, revision },
    seats: new Map(seats),
    checkouts: new Map(checkouts),
    checkout: checkouts.find(([, one]) => one.orderId === paying)?.[1] ?? null,
  };
}

function rowOfCheckout(showId: ShowId, checkout: RememberedCheckout): LiveCheckoutRow {
  const { orderId: id, session, dueAt, ...request } = checkout;
  return { showId, orderId: id, sessionId: session, dueAt, request: JSON.stringify(request) };
}

function checkoutOfRow({ orderId: id, sessionId, dueAt, request }: LiveCheckoutRow): RememberedCheckout {
  // `rowOfCheckout` wrote it, and every change of its shape is a migration.
  const rest = JSON.parse(request) as Omit<RememberedCheckout, 'orderId' | 'session' | 'dueAt'>;
  return { ...rest, orderId: id, session: sessionId, dueAt };
}

/** Rows of a show as they are: the ORM doesn't watch them. */
async function find<Row extends { showId: ShowId }, Key extends keyof Row>(
  entities: SqlEntityManager,
  table: EntitySchema<Row>,
  showId: ShowId,
  key: Key,
  values: readonly Row[Key][],
): Promise<readonly Row[]> {
  if (values.length === 0) return [];
  // The compiler can't follow a column's name through the ORM's type of conditions.
  const where = { showId, [key]: { $in: values } } as QBFilterQuery<Row>;
  return entities.qb(table).select('*').where(where).execute<Row[]>();
}

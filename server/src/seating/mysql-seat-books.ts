import { type EntitySchema, type QBFilterQuery, LockMode, type SqlEntityManager } from '@mikro-orm/sql';
import { AVAILABLE, type SeatStatus, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { appendRecord } from '../feed/mysql-show-feed.ts';
import type { FeedEntry } from '../feed/show-feed.ts';
import { insertRows } from '../platform/database.ts';
import { holdToken, type OrderId, type SeatIndex, type SessionId, type ShowId } from '../platform/ids.ts';
import {
  type LiveCheckoutRow,
  liveCheckoutTable,
  type LiveHoldRow,
  liveHoldTable,
  type LiveSeatRow,
  liveSeatTable,
  liveShowTable,
} from './mysql-seat-tables.ts';
import { type LiveCheckout, type LiveHold, type RememberedCheckout, SeatBooks } from './seat-books.ts';
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

/** The rows of a part of a show. */
interface BookRows {
  readonly seats: readonly LiveSeatRow[];
  /** As the row has it, and as decisions change it. */
  readonly holds: ReadonlyMap<LiveHoldRow, LiveHold>;
  readonly checkouts: readonly RememberedCheckout[];
  /** How many seats those who may take some have bought, and how many are held from their networks. */
  readonly bought: ReadonlyMap<SessionId, number>;
  readonly heldFrom: ReadonlyMap<NonNullable<Taker['network']>, number>;
}

const NO_ROWS: BookRows = {
  seats: [],
  holds: new Map(),
  checkouts: [],
  bought: new Map(),
  heldFrom: new Map(),
};

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
  decide: (books: SeatBooks, now: number) => T,
): Promise<{ readonly value: T; readonly isTold: boolean }> {
  const show = await entities.findOne(liveShowTable, rules.show, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!show) throw new Error(`show ${rules.show} was never opened in the database`);
  const now = await tellTime(entities);
  const rows = await readRows(entities, rules.show, scope);
  const entries: FeedEntry[] = [];
  const books = new SeatBooks({
    seatCount: rules.seatCount,
    nextToken: () => holdToken(++show.lastToken),
    emit: (entry) => entries.push(entry),
    now: () => now,
  });
  enterRows(books, rows);
  const value = decide(books, now);
  const changes = new Map<SeatIndex, number>();
  for (const { seat } of entries.flatMap((entry) => entry.changes)) {
    changes.set(seat, (changes.get(seat) ?? 0) + 1);
  }
  await writeRows(entities, rules, books, rows, changes);
  if (entries.length > 0) {
    // With the transaction, the ORM writes what changed in the show's row.
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
  // A clock in microseconds outruns the tokens of any earlier history, wherever it was kept. Tokens of unfinished checkouts are respected on top.
  const lastToken = facts.checkouts.reduce((highest, one) => Math.max(highest, one.holdToken), now * 1_000);
  await entities.insert(liveShowTable, { showId, epoch, seatCount, sectionCount, lastToken, position: 0 });
  const books = new SeatBooks({
    seatCount,
    nextToken: () => {
      throw new Error('no hold begins while a show is set up');
    },
    emit: () => undefined,
    now: () => now,
  });
  books.restore(rules, facts, now);
  const seats = [...books.statuses.keys()].filter((seat) => books.statuses[seat] !== AVAILABLE);
  await writeRows(entities, rules, books, NO_ROWS, new Map(seats.map((seat) => [seat, 0])));
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

/** The live hold of each of some sessions that has one, or had until its time was over. */
export async function holdsOf(
  entities: SqlEntityManager,
  show: ShowId,
  sessions: readonly SessionId[],
): Promise<ReadonlyMap<LiveHoldRow, LiveHold>> {
  const rows = await find(entities, liveHoldTable, show, 'sessionId', sessions);
  return new Map(rows.map((row) => [row, holdOfRow(row)]));
}

async function readRows(
  entities: SqlEntityManager,
  show: ShowId,
  { sessions = [], seats = [], orders = [], takers = [] }: StepScope,
): Promise<BookRows> {
  const asked = await find(entities, liveSeatTable, show, 'seat', seats);
  const holders = asked.flatMap(({ heldBy }) => heldBy ?? []);
  const holds = await holdsOf(entities, show, [...new Set([...sessions, ...holders])]);
  const known = new Set(seats);
  const others = [...holds.values()].flatMap(({ prices }) => [...prices.keys()]);
  const rest = others.filter((seat) => !known.has(seat));
  const checkouts = await find(entities, liveCheckoutTable, show, 'orderId', orders);
  const buyers = takers.map(({ session }) => session);
  const networks = new Set(takers.flatMap(({ network }) => network ?? []));
  return {
    seats: [...asked, ...(await find(entities, liveSeatTable, show, 'seat', rest))],
    holds,
    checkouts: checkouts.map(checkoutOfRow),
    bought: await countSeats(entities, show, 'sold_to', buyers),
    heldFrom: await countSeats(entities, show, 'held_from', [...networks]),
  };
}

function enterRows(books: SeatBooks, { seats, holds, checkouts, bought, heldFrom }: BookRows): void {
  for (const { seat, status, note } of seats) {
    // Only statuses were ever put there, and notes by `writeRows`.
    books.enterStatus(seat, status as SeatStatus);
    if (note) books.notes.enter(seat, JSON.parse(note) as SeatNote);
  }
  for (const hold of holds.values()) books.enter(hold);
  for (const checkout of checkouts) books.unsettled.set(checkout.orderId, checkout);
  for (const [session, count] of bought) books.enterBought(session, count);
  for (const [network, count] of heldFrom) books.notes.enterHeld(network, count);
}

/** @param changes the seats that changed, and how often the feed tells of each */
async function writeRows(
  entities: SqlEntityManager,
  { show, sectionOf }: SeatRules,
  books: SeatBooks,
  before: BookRows,
  changes: ReadonlyMap<SeatIndex, number>,
): Promise<void> {
  const told = new Map(before.seats.map((row) => [row.seat, row.changes]));
  const seats = [...changes].map(([seat, times]): LiveSeatRow => {
    const status = books.statuses[seat] ?? AVAILABLE;
    const note = books.notes.of(seat);
    return {
      ...{
        showId: show,
        seat,
        section: sectionOf[seat] ?? 0,
        status,
        changes: (told.get(seat) ?? 0) + times,
      },
      heldBy: books.ofSeat(seat)?.session ?? null,
      soldTo: status === SOLD ? books.buyerOf(seat) : null,
      heldFrom: note?.isHeld ? note.network : null,
      note: note ? JSON.stringify(note) : null,
    };
  });
  await insertRows(entities, liveSeatTable, seats, OVERWRITE);

  const rowsBefore = new Map([...before.holds.keys()].map((row) => [row.sessionId, row]));
  const holds = [...books.holds()].map((hold) => rowOfHold(show, hold));
  const changed = holds.filter((row) => {
    const { claim, expiresAt, holdToken: token } = rowsBefore.get(row.sessionId) ?? {};
    return row.claim !== claim || row.expiresAt !== expiresAt || row.holdToken !== token;
  });
  await insertRows(entities, liveHoldTable, changed, OVERWRITE);
  const ended = [...rowsBefore.keys()].filter((session) => !books.ofSession(session));
  if (ended.length > 0) {
    const sql = 'delete from live_holds where show_id = ? and session_id in (?)';
    await entities.execute(sql, [show, ended], 'run');
  }

  const known = new Set(before.checkouts);
  const begun = [...books.unsettled.values()].filter((one) => !known.has(one));
  const checkouts = begun.map((one) => rowOfCheckout(show, one));
  await insertRows(entities, liveCheckoutTable, checkouts, OVERWRITE);
  const settled = [...known].map((one) => one.orderId).filter((id) => !books.unsettled.has(id));
  if (settled.length > 0) {
    const sql = 'delete from live_checkouts where show_id = ? and order_id in (?)';
    await entities.execute(sql, [show, settled], 'run');
  }
}

/** A hold without what has a column of its own. */
interface Claim {
  readonly prices: readonly (readonly [SeatIndex, number])[];
  readonly extensionsLeft: number;
  readonly checkouts: readonly (readonly [string, LiveCheckout])[];
  /** The one of its checkouts that it is frozen for. */
  readonly paying: OrderId | null;
  readonly revision: number;
}

function rowOfHold(showId: ShowId, hold: LiveHold): LiveHoldRow {
  const {
    session,
    holdToken: token,
    expiresAt,
    prices,
    extensionsLeft,
    checkouts,
    checkout,
    revision,
  } = hold;
  const paying = checkout?.orderId ?? null;
  const claim: Claim = { prices: [...prices], extensionsLeft, checkouts: [...checkouts], paying, revision };
  return { showId, sessionId: session, holdToken: token, expiresAt, claim: JSON.stringify(claim) };
}

function holdOfRow({ sessionId, holdToken: token, expiresAt, claim }: LiveHoldRow): LiveHold {
  // `rowOfHold` wrote it, and every change of its shape is a migration.
  const { prices, extensionsLeft, checkouts, paying, revision } = JSON.parse(claim) as Claim;
  return {
    ...{ session: sessionId, holdToken: token, expiresAt, extensionsLeft, revision },
    prices: new Map(prices),
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

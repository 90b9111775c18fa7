import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { type Books, faultsOf, soldSeatsOf } from '../../test/integration/stack/books.ts';
import type { OrderRow, WordBook } from '../shopper/word-book.ts';

/** What was wrong at the end, in words; all lists empty where the promises held. */
export interface Verdict {
  /** Orders that somebody was told of and that have no row [P2]. */
  readonly unended: readonly string[];
  /** Words that the database or a later word denies [P2]. */
  readonly contradicted: readonly string[];
  /** The books themselves: a seat sold twice, a key with two orders, a confirmed order without seats [P1]. */
  readonly books: readonly string[];
  /** Seats that a screen or Redis shows otherwise than the database has them, or held by nobody [P3]. */
  readonly seats: readonly string[];
}

/** The seats of a show as one place shows them; `place` names it. */
export interface SeatPicture {
  readonly place: string;
  readonly show: number;
  readonly statuses: ArrayLike<number>;
}

const NAMES: Readonly<Record<number, string>> = { [AVAILABLE]: 'available', [HELD]: 'held', [SOLD]: 'sold' };
const EXAMPLES = 5;

/** Compares everything that people were told, and every picture of the seats, with the database. */
export function judge(
  books: Books,
  wordBooks: readonly WordBook[],
  pictures: readonly SeatPicture[],
): Verdict {
  const rows = rowsOf(books);
  const words = wordBooks.map((book) => book.compare(rows));
  return {
    unended: words.flatMap(({ unended }) => unended),
    contradicted: words.flatMap(({ contradicted }) => contradicted),
    books: faultsOf(books, []),
    seats: pictures.flatMap((picture) => seatFaults(books, picture)),
  };
}

export function isClean(verdict: Verdict): boolean {
  return Object.values(verdict).every((faults: readonly string[]) => faults.length === 0);
}

function rowsOf({ orders, sold }: Books): ReadonlyMap<string, OrderRow> {
  const tickets = Map.groupBy(sold, (row) => row.order_id);
  return new Map(
    orders.map(({ id, status, reason }) => {
      const codes = (tickets.get(id) ?? []).map((row) => row.ticket_code);
      // Read from a database that only the server writes, whose statuses are those of the protocol.
      return [id, { id, status: status as OrderRow['status'], reason, tickets: codes }];
    }),
  );
}

function seatFaults(books: Books, { place, show, statuses }: SeatPicture): readonly string[] {
  const sold = new Set(soldSeatsOf(books, show));
  const wrong: string[] = [];
  for (let seat = 0; seat < statuses.length; seat++) {
    const status = statuses[seat] ?? AVAILABLE;
    const right = sold.has(seat) ? SOLD : AVAILABLE;
    if (status !== right) wrong.push(`${seat} is ${NAMES[status] ?? status}, should be ${NAMES[right]}`);
  }
  if (wrong.length === 0) return [];
  return [`show ${show}, ${place}: ${wrong.length} seats, such as ${wrong.slice(0, EXAMPLES).join('; ')}`];
}

import type { SqlEntityManager } from '@mikro-orm/sql';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import type { ShowId } from '../platform/ids.ts';
import { writeCheckouts } from './mysql-checkout-rows.ts';
import { newNumbers, writeHolds, writeSeats } from './mysql-seat-rows.ts';
import { SeatBooks } from './seat-books.ts';
import type { SeatFacts, SeatRules } from './seat-store.ts';

const TABLES = [
  'live_seat_notes',
  'live_feed',
  'live_feed_drafts',
  'live_checkouts',
  'live_holds',
  'live_seats',
  'live_shows',
] as const;

/** Whether the database has live seats of a show. */
export async function hasHistory(entities: SqlEntityManager, show: ShowId): Promise<boolean> {
  const rows = await entities.execute('select 1 from live_shows where show_id = ?', [show]);
  return rows.length > 0;
}

/**
 * Sets a show up from what is known of it: one row a seat, in few statements. To be run in a transaction; the row of
 * `live_shows` comes first, so that of two nodes that do this at once the second finds a duplicate key.
 */
export async function beginHistory(
  entities: SqlEntityManager,
  rules: SeatRules,
  facts: SeatFacts,
  epoch: number,
  now: number,
): Promise<void> {
  const { show, seatCount, sectionOf, sectionCount } = rules;
  const books = new SeatBooks({
    seatCount,
    nextToken: () => {
      throw new Error('no hold begins while a show is set up');
    },
    emit: () => undefined,
    now: () => now,
  });
  books.restore(rules, facts, now);
  const [number = 0] = await newNumbers(entities, show, 1);
  // A clock in microseconds outruns the tokens of any earlier history, wherever it was kept. Tokens of unfinished checkouts are respected on top.
  const fence = facts.checkouts.reduce((highest, one) => Math.max(highest, one.holdToken), now * 1_000);
  await entities.execute(
    'insert into live_shows (show_id, epoch, token_base, position, section_count) values (?, ?, ?, 0, ?)',
    [show, epoch, fence - number, sectionCount],
    'run',
  );
  const buyers = new Map(facts.sold.map((sold) => [sold.seat, sold.session]));
  const seats = Array.from(books.statuses, (status, seat) => ({
    seat,
    section: sectionOf[seat] ?? 0,
    // Only statuses were ever put there.
    status: status as SeatStatus,
    heldBy: books.ofSeat(seat)?.session ?? null,
    soldTo: buyers.get(seat) ?? null,
    changes: 0,
  }));
  await writeSeats(entities, show, seats);
  await writeHolds(entities, show, { added: [...books.holds()], changed: [], ended: [] });
  await writeCheckouts(entities, show, [...books.unsettled.values()]);
}

/** Deletes everything about a show's live seats. To be run in a transaction. */
export async function endHistory(entities: SqlEntityManager, show: ShowId): Promise<void> {
  for (const table of TABLES.toReversed()) {
    await entities.execute(`delete from ${table} where show_id = ?`, [show], 'run');
  }
}

import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import { networkTag, type SeatIndex, sessionId, type ShowId } from '../platform/ids.ts';
import { insertRows } from './mysql-seat-rows.ts';
import type { SeatNotes, Taker } from './seat-notes.ts';

const count = z.int().min(0);
const network = z.string().transform(networkTag);
const note = z.object({
  session: z.string().transform(sessionId),
  network: network.nullable(),
  takenAt: count,
  givenBack: count,
  restsUntil: count,
  isHeld: z.boolean(),
});
const noteRows = z.array(
  z.object({
    seat: count,
    note: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(note),
  }),
);
const heldRows = z.array(z.object({ held_from: network, seats: count }));

/**
 * Enters what is remembered of some seats, and how many are held from the networks of those who may take them. A note
 * goes with its seat, whose row a step has locked; of a network others may be taking seats right now.
 */
export async function enterNotes(
  entities: SqlEntityManager,
  show: ShowId,
  notes: SeatNotes,
  { seats, takers }: { readonly seats: readonly SeatIndex[]; readonly takers: readonly Taker[] },
): Promise<void> {
  if (seats.length > 0) {
    const sql = 'select seat, note from live_seat_notes where show_id = ? and seat in (?)';
    const rows = noteRows.parse(await entities.execute(sql, [show, seats]));
    for (const row of rows) notes.enter(row.seat, row.note);
  }
  const networks = [...new Set(takers.flatMap((taker) => taker.network ?? []))];
  if (networks.length === 0) return;
  const sql =
    'select held_from, count(*) as seats from live_seat_notes where show_id = ? and held_from in (?) group by held_from';
  const rows = heldRows.parse(await entities.execute(sql, [show, networks]));
  for (const row of rows) notes.enterHeld(row.held_from, row.seats);
}

/** Writes what is remembered of seats that changed. */
export async function writeNotes(
  entities: SqlEntityManager,
  show: ShowId,
  notes: SeatNotes,
  seats: readonly SeatIndex[],
): Promise<void> {
  const gone = seats.filter((seat) => !notes.of(seat));
  if (gone.length > 0) {
    await entities.execute(
      'delete from live_seat_notes where show_id = ? and seat in (?)',
      [show, gone],
      'run',
    );
  }
  const rows = seats.flatMap((seat) => {
    const kept = notes.of(seat);
    return kept ? [[show, seat, kept.isHeld ? kept.network : null, JSON.stringify(kept)]] : [];
  });
  await insertRows(
    entities,
    'insert into live_seat_notes (show_id, seat, held_from, note) values ',
    rows,
    ' on duplicate key update held_from = values(held_from), note = values(note)',
  );
}

import type { SqlEntityManager } from '@mikro-orm/sql';
import type { RefusalCode } from '@stampede/shared/protocol/codes.ts';
import { AVAILABLE, HELD } from '@stampede/shared/seat-map/seat-status.ts';
import { z } from 'zod';
import type { SeatIndex, SessionId } from '../platform/ids.ts';
import type { Refusal } from '../platform/outcome.ts';
import { enterNotes } from './mysql-seat-notes.ts';
import { boughtBy, holdsOfSessions } from './mysql-seat-rows.ts';
import { SeatBooks } from './seat-books.ts';
import { examineClaim } from './seat-decisions.ts';
import type { HoldRequest, SeatRules } from './seat-store.ts';

/** What a look at the rows says about requests. */
export interface Look {
  /** For each request why it is refused, or null where that has to be decided on locked rows. */
  readonly refusals: readonly (Refusal | null)[];
  readonly tokenBase: number;
}

const seatRows = z.array(
  z.object({
    seat: z.int(),
    status: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    expires_at: z.int().nullable(),
    token_base: z.int(),
  }),
);

/**
 * Refuses what can be refused without locks. On a hot seat that is nearly everything: losers then cost three reads and
 * stand in nobody's way. Each request is looked at for itself, so only sessions that ask once in the batch are; seats
 * are read last and in one statement with the deadlines of their holds, so "taken" was true at that moment.
 */
export async function lookAtRequests(
  entities: SqlEntityManager,
  rules: SeatRules,
  requests: readonly HoldRequest[],
  isAdmitted: (session: SessionId, now: number) => boolean,
  now: number,
): Promise<Look> {
  const { show } = rules;
  const sessions = [...new Set(requests.map((request) => request.session))];
  const seats = [...new Set(requests.flatMap((request) => seatsOfShow(rules, request)))];
  const books = new SeatBooks({
    seatCount: rules.seatCount,
    nextToken: () => {
      throw new Error('a look begins no hold');
    },
    emit: () => undefined,
    now: () => now,
  });
  const bought = await boughtBy(entities, show, sessions);
  const holds = await holdsOfSessions(entities, show, sessions, 'look');
  await enterNotes(entities, show, books.notes, { seats, takers: requests });
  const rows = await readSeats(entities, rules, seats);
  for (const { seat, status, expires_at: expiresAt } of rows) {
    const isOver = status === HELD && (expiresAt ?? 0) <= now;
    books.enterStatus(seat, isOver ? AVAILABLE : status);
  }
  for (const hold of holds) if (hold.expiresAt > now) books.enter(hold);
  for (const [session, count] of bought) books.enterBought(session, count);
  const asked = new Map<SessionId, number>();
  for (const { session } of requests) asked.set(session, (asked.get(session) ?? 0) + 1);
  const refusals = requests.map((request) => {
    if (asked.get(request.session) !== 1) return null;
    const claim = examineClaim(books, rules, request, isAdmitted(request.session, now), now);
    return claim.ok || MAY_CHANGE_IN_A_BATCH.has(claim.code) ? null : claim;
  });
  return { refusals, tokenBase: rows[0]?.token_base ?? 0 };
}

/** Refusals that another request of the same batch, decided before, turns into others. */
const MAY_CHANGE_IN_A_BATCH: ReadonlySet<RefusalCode> = new Set(['cooling-down', 'network-limit']);

/** The seats of a request that exist. */
export function seatsOfShow({ seatCount }: SeatRules, { seats }: HoldRequest): readonly SeatIndex[] {
  return seats.filter((seat) => seat >= 0 && seat < seatCount);
}

async function readSeats(
  entities: SqlEntityManager,
  { show }: SeatRules,
  seats: readonly SeatIndex[],
): Promise<z.infer<typeof seatRows>> {
  if (seats.length === 0) return [];
  const rows: unknown = await entities.execute(
    'select s.seat, s.status, h.expires_at, ' +
      '(select l.token_base from live_shows l where l.show_id = s.show_id) as token_base ' +
      'from live_seats s left join live_holds h force index (primary) on h.show_id = s.show_id and h.session_id = s.held_by ' +
      'where s.show_id = ? and s.seat in (?)',
    [show, seats],
  );
  const parsed = seatRows.parse(rows);
  if (parsed.length < seats.length) throw new Error(`show ${show} was never opened in the database`);
  return parsed;
}

import type { Clock } from '@stampede/shared/platform/clock.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { OrderStore, SoldSeat } from '../checkout/order-store.ts';
import type { SeatIndex, SessionId, ShowId } from '../platform/ids.ts';
import { pause } from '../platform/retry.ts';
import type { SeatStore } from '../seating/seat-store.ts';
import type { ShowFeed } from '../feed/show-feed.ts';

export interface ReconcileParts {
  readonly seats: Pick<SeatStore, 'isOpen' | 'boughtSeats'>;
  readonly feed: Pick<ShowFeed, 'read'>;
  readonly orders: Pick<OrderStore, 'soldSeats'>;
  readonly clock: Clock;
}

/** How the live seats of a show and the database's rows compare. */
export interface Reconciliation {
  readonly show: ShowId;
  /** Whether the live store has the show at all; where it hasn't, nothing is sold live, nor can be. */
  readonly isOpen: boolean;
  /** Rows of sold seats. */
  readonly sold: number;
  /** Sold on every screen, and nobody's in the database. */
  readonly onlyLive: readonly SeatIndex[];
  /** Somebody's in the database, and not sold on the screens. */
  readonly onlyInDatabase: readonly SeatIndex[];
  /** Buyers who by the live store have bought another number of seats than rows are theirs: their limit is wrong. */
  readonly miscounted: readonly Miscount[];
}

export interface Miscount {
  readonly session: SessionId;
  readonly live: number;
  readonly inDatabase: number;
}

/**
 * What the database has decided reaches the seats within milliseconds, and by the relay within seconds when a worker
 * dies in between. Something that differs in this many looks in a row, over 5 s, is not on its way any more [P3].
 */
const LOOKS = 6;
const LOOK_EVERY_MS = 1_000;
const SEATS_PER_READ = 2_000;

/**
 * Compares who has which seats in the live store and in the database, also while both are selling: what differs is
 * looked at again, and reported only if it differed every time. Without differences one look is enough.
 */
export async function reconcileShow(parts: ReconcileParts, show: ShowId): Promise<Reconciliation> {
  let found = await compareShow(parts, show);
  for (let looks = 1; looks < LOOKS && differencesOf(found) > 0; looks++) {
    await pause(parts.clock, LOOK_EVERY_MS);
    found = confirmed(found, await compareShow(parts, show));
  }
  return found;
}

/** How many seats and buyers differ. */
export function differencesOf({ onlyLive, onlyInDatabase, miscounted }: Reconciliation): number {
  return onlyLive.length + onlyInDatabase.length + miscounted.length;
}

/** One look: what is on its way differs as well. */
export async function compareShow(
  { seats, feed, orders }: Omit<ReconcileParts, 'clock'>,
  show: ShowId,
): Promise<Reconciliation> {
  const isOpen = await seats.isOpen(show);
  const statuses = isOpen ? await feed.read(show) : null;
  const soldLive = new Set<SeatIndex>();
  statuses?.forEach((status, seat) => {
    if (status === SOLD) soldLive.add(seat);
  });
  const boughtLive = isOpen ? await seats.boughtSeats(show) : new Map<SessionId, number>();
  const rows = statuses ? await soldRows(orders, show, statuses.length) : await orders.soldSeats(show);
  const sold = new Set(rows.map(({ seat }) => seat));
  const bought = new Map<SessionId, number>();
  for (const { session } of rows) bought.set(session, (bought.get(session) ?? 0) + 1);
  return {
    show,
    isOpen,
    sold: rows.length,
    onlyLive: [...soldLive.difference(sold)].sort((a, b) => a - b),
    onlyInDatabase: [...sold.difference(soldLive)].sort((a, b) => a - b),
    miscounted: [...new Set([...boughtLive.keys(), ...bought.keys()])]
      .map((session) => ({
        session,
        live: boughtLive.get(session) ?? 0,
        inDatabase: bought.get(session) ?? 0,
      }))
      .filter(({ live, inDatabase }) => live !== inDatabase),
  };
}

/** In parts, so that neither the database nor this process is busy for long with the whole of a stadium. */
async function soldRows(
  orders: ReconcileParts['orders'],
  show: ShowId,
  seatCount: number,
): Promise<readonly SoldSeat[]> {
  const rows: SoldSeat[] = [];
  for (let from = 0; from < seatCount; from += SEATS_PER_READ) {
    rows.push(...(await orders.soldSeats(show, { from, to: from + SEATS_PER_READ })));
  }
  return rows;
}

/** The later look, with only those differences that the earlier ones had too. */
function confirmed(earlier: Reconciliation, later: Reconciliation): Reconciliation {
  const sessions = new Set(earlier.miscounted.map(({ session }) => session));
  return {
    ...later,
    onlyLive: later.onlyLive.filter((seat) => earlier.onlyLive.includes(seat)),
    onlyInDatabase: later.onlyInDatabase.filter((seat) => earlier.onlyInDatabase.includes(seat)),
    miscounted: later.miscounted.filter(({ session }) => sessions.has(session)),
  };
}

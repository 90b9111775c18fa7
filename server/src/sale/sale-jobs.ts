import type { OverdueCheckouts } from '../checkout/overdue-checkouts.ts';
import type { Sale } from './sale.ts';
import type { Sales } from './sales.ts';
import type { Outside } from '../platform/outside.ts';
import { repeat } from '../platform/repeat.ts';
import type { SeatStore } from '../seating/seat-store.ts';
import { serveWaitingRoom, type WaitingRoomParts } from '../waiting-room/waiting-room.ts';
import { PRESENCE_MS } from '../waiting-room/waiting-room-store.ts';

export interface SaleJobParts {
  readonly sales: Sales;
  readonly seats: SeatStore;
  readonly checkouts: OverdueCheckouts;
  readonly waitingRoom: Pick<WaitingRoomParts, 'store' | 'settings'>;
  readonly outside: Pick<Outside, 'clock' | 'report'>;
  readonly countAdmissions: (count: number) => void;
}

type Stop = () => Promise<void>;

const ADMISSION_INTERVAL_MS = 100;
const EXPIRY_INTERVAL_MS = 1_000;
const HANDOVER_INTERVAL_MS = 2_000;
const POSITION_INTERVAL_MS = 1_000;
const PHASE_INTERVAL_MS = 200;
const PRESENCE_INTERVAL_MS = PRESENCE_MS / 3;
const KEEP_UP_INTERVAL_MS = 1_000;

/** Opens what is busy and lets go of what isn't, on a node that deals with buyers or serves what they left. */
export function startKeepingUp({ sales, outside }: SaleJobParts, serves: boolean): Stop {
  const failed = (cause: unknown): void => outside.report('busy shows could not be told', cause);
  return repeat(outside.clock, KEEP_UP_INTERVAL_MS, () => sales.keepUp(serves), failed);
}

/**
 * What every on-sale needs done by somebody: letting people in, ending what ran out. Needs no leader: each step is
 * decided in the store, so that any number of nodes may do it.
 */
export function startSchedulerJobs(parts: SaleJobParts): Stop {
  const { sales, seats, checkouts, waitingRoom, outside, countAdmissions } = parts;
  const stopAdmissions = forEachSale(parts, ADMISSION_INTERVAL_MS, 'admissions', ({ show, board }) =>
    serveWaitingRoom(waitingRoom, { show, soldOut: board.soldOut }, outside.clock.now(), countAdmissions),
  );
  const stopExpiry = forEachSale(parts, EXPIRY_INTERVAL_MS, 'ending holds', async (sale) => {
    await seats.expire(sale.seatRules);
  });
  const stopHandingOver = forEachSale(
    parts,
    HANDOVER_INTERVAL_MS,
    'handing overdue payments over',
    async (sale) => {
      let isNeeded = true;
      try {
        isNeeded = await checkouts.handOver(sale.show, sale.seatRules);
      } finally {
        if (isNeeded) await sales.keep(sale);
      }
    },
  );
  return async () => {
    await Promise.all([stopAdmissions(), stopExpiry(), stopHandingOver()]);
  };
}

/** What the buyers of this node need to be told as time goes by. */
export function startGatewayJobs(parts: SaleJobParts): Stop {
  const { outside, waitingRoom } = parts;
  const stops = [
    forEachSale(parts, POSITION_INTERVAL_MS, 'telling positions', (sale) =>
      sale.positions.tick(sale.phase(), outside.clock.now()),
    ),
    forEachSale(parts, PRESENCE_INTERVAL_MS, 'telling who is present', (sale) =>
      waitingRoom.store.setPresent(sale.waitingRules, sale.sessions(), true),
    ),
    forEachSale(parts, PHASE_INTERVAL_MS, 'announcing phases', async (sale) => sale.announcePhase()),
  ];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** One sale's failure is its own. */
function forEachSale(
  { sales, outside: { clock, report } }: SaleJobParts,
  intervalMs: number,
  what: string,
  job: (sale: Sale) => Promise<void>,
): Stop {
  const attempt = (sale: Sale): Promise<void> =>
    job(sale).catch((cause: unknown) => report(`${what} of show ${sale.show.id} failed`, cause));
  return repeat(
    clock,
    intervalMs,
    async () => {
      await Promise.all(sales.list().map(attempt));
    },
    (cause) => report(`${what} failed`, cause),
  );
}

import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { OverdueCheckouts } from './checkout/overdue-checkouts.ts';
import type { LiveSale } from './gateway/live-sale.ts';
import type { LiveSales } from './gateway/live-sales.ts';
import { repeat } from './platform/repeat.ts';
import type { SeatStore } from './seating/seat-store.ts';
import { AdmissionLoop } from './waiting-room/admission-loop.ts';
import { PRESENCE_MS, type WaitingRoomSettings } from './waiting-room/waiting-room-rules.ts';
import type { WaitingRoomStore } from './waiting-room/waiting-room-store.ts';

export interface SaleJobParts {
  readonly sales: LiveSales;
  readonly seats: SeatStore;
  readonly checkouts: OverdueCheckouts;
  readonly waitingRoom: { readonly store: WaitingRoomStore; readonly settings: WaitingRoomSettings };
  readonly clock: Clock;
  readonly report: (message: string, cause: unknown) => void;
  readonly countAdmissions: (count: number) => void;
}

type Stop = () => Promise<void>;

const ADMISSION_INTERVAL_MS = 100;
const EXPIRY_INTERVAL_MS = 1_000;
const HANDOVER_INTERVAL_MS = 2_000;
const POSITION_INTERVAL_MS = 1_000;
const PHASE_INTERVAL_MS = 200;
const PRESENCE_INTERVAL_MS = PRESENCE_MS / 3;

/**
 * What every on-sale needs done by somebody: letting people in, ending what ran out. Needs no leader: each step is
 * decided in the store, so that any number of nodes may do it.
 */
export function startSchedulerJobs(parts: SaleJobParts): Stop {
  const { sales, seats, checkouts, waitingRoom, clock, report, countAdmissions } = parts;
  const admissions = new AdmissionLoop({
    ...waitingRoom,
    clock,
    intervalMs: ADMISSION_INTERVAL_MS,
    shows: () => sales.list(),
    onAdmitted: countAdmissions,
    onError: (show, cause) => report(`admissions of show ${show ?? 'unknown'} failed`, cause),
  });
  admissions.start();
  const stopExpiry = forEachSale(parts, EXPIRY_INTERVAL_MS, 'ending holds', async (sale) => {
    await seats.expire(sale.seatRules);
  });
  const stopHandingOver = forEachSale(parts, HANDOVER_INTERVAL_MS, 'handing overdue payments over', (sale) =>
    checkouts.handOver(sale.show, sale.seatRules),
  );
  return async () => {
    await Promise.all([admissions.stop(), stopExpiry(), stopHandingOver()]);
  };
}

/** What the buyers of this node need to be told as time goes by. */
export function startGatewayJobs(parts: SaleJobParts): Stop {
  const { clock, waitingRoom } = parts;
  const stops = [
    forEachSale(parts, POSITION_INTERVAL_MS, 'telling positions', (sale) =>
      sale.positions.tick(sale.onSale, clock.now()),
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
  { sales, clock, report }: SaleJobParts,
  intervalMs: number,
  what: string,
  job: (sale: LiveSale) => Promise<void>,
): Stop {
  const attempt = (sale: LiveSale): Promise<void> =>
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

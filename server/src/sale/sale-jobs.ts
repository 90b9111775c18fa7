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

/** What is done for every sale that is open here, again and again. */
interface SaleJob {
  readonly everyMs: number;
  /** What a report of its failure calls it. */
  readonly what: string;
  readonly run: (sale: Sale, parts: SaleJobParts) => Promise<unknown>;
}

const KEEP_UP_INTERVAL_MS = 1_000;

/**
 * What every on-sale needs done by somebody: letting people in, ending what ran out. Needs no leader: each step is
 * decided in the store, so that any number of nodes may do it.
 */
const SCHEDULER_JOBS: readonly SaleJob[] = [
  {
    everyMs: 100,
    what: 'admissions',
    run: ({ show, board: { soldOut } }, { waitingRoom, outside, countAdmissions }) =>
      serveWaitingRoom(waitingRoom, { show, soldOut }, outside.clock.now(), countAdmissions),
  },
  { everyMs: 1_000, what: 'ending holds', run: (sale, { seats }) => seats.expire(sale.seatRules) },
  { everyMs: 2_000, what: 'handing overdue payments over', run: handOver },
];

/** What the buyers of this node need to be told as time goes by. */
const GATEWAY_JOBS: readonly SaleJob[] = [
  {
    everyMs: 1_000,
    what: 'telling positions',
    run: (sale, { outside }) => sale.positions.tick(sale.phase(), outside.clock.now()),
  },
  {
    everyMs: PRESENCE_MS / 3,
    what: 'telling who is present',
    run: (sale) => sale.tellPresent(),
  },
  { everyMs: 200, what: 'announcing phases', run: async (sale) => sale.announcePhase() },
];

/**
 * Opens what is busy and lets go of what isn't, on a node that deals with buyers (`tells`) or serves what they left
 * (`serves`), and does what the one or the other needs.
 */
export function startSaleJobs(
  parts: SaleJobParts,
  { serves, tells }: Record<'serves' | 'tells', boolean>,
): Stop {
  const { sales, outside } = parts;
  const failed = (cause: unknown): void => outside.report('busy shows could not be told', cause);
  const stopKeepingUp = repeat(outside.clock, KEEP_UP_INTERVAL_MS, () => sales.keepUp(serves), failed);
  const jobs = [...(serves ? SCHEDULER_JOBS : []), ...(tells ? GATEWAY_JOBS : [])];
  const stops = [stopKeepingUp, ...jobs.map((job) => startJob(parts, job))];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

async function handOver(sale: Sale, { sales, checkouts }: SaleJobParts): Promise<void> {
  let isNeeded = true;
  try {
    isNeeded = await checkouts.handOver(sale.show, sale.seatRules);
  } finally {
    if (isNeeded) await sales.keep(sale);
  }
}

/** One sale's failure is its own. */
function startJob(parts: SaleJobParts, { everyMs, what, run }: SaleJob): Stop {
  const { clock, report } = parts.outside;
  const attempt = (sale: Sale): Promise<unknown> =>
    run(sale, parts).catch((cause: unknown) => report(`${what} of show ${sale.show.id} failed`, cause));
  const runAll = async (): Promise<void> => {
    await Promise.all(parts.sales.list().map(attempt));
  };
  return repeat(clock, everyMs, runAll, (cause) => report(`${what} failed`, cause));
}

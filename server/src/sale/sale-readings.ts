import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import {
  type SeatStatusName,
  seatStatusNumbers,
  unpackStatuses,
} from '@stampede/shared/seat-map/seat-status.ts';
import type { ShowReading, WaitingRoomReading } from '../platform/metrics.ts';
import type { WaitingRoomStore } from '../waiting-room/waiting-room-store.ts';
import type { SeatBoard } from './seat-board.ts';
import type { Sale } from './sale.ts';

type CountedShow = Pick<Sale, 'show' | 'sessionCount'> & { readonly board: Pick<SeatBoard, 'snapshot'> };
type SaleWithRoom = Pick<Sale, 'show' | 'waitingRules'>;

const STATUSES = Object.keys(seatStatusNumbers) as SeatStatusName[];

/** The shows of this node as metrics tell them; asks nobody. */
export function readShows(sales: readonly CountedShow[]): readonly ShowReading[] {
  return sales.map(({ show, board, sessionCount }) => ({
    show: show.id,
    sessions: sessionCount,
    seats: countSeats(show.seatMap, board),
  }));
}

/** The waiting rooms of this node's shows, each as it is for all nodes: two calls of the store a show. */
export function readWaitingRooms(
  sales: readonly SaleWithRoom[],
  store: Pick<WaitingRoomStore, 'ranks' | 'admittedCount'>,
): Promise<readonly WaitingRoomReading[]> {
  return Promise.all(
    sales.map(async ({ show, waitingRules }) => {
      const [{ waiting }, admitted] = await Promise.all([
        store.ranks(waitingRules, []),
        store.admittedCount(waitingRules),
      ]);
      return { show: show.id, waiting, admitted };
    }),
  );
}

function countSeats(
  { sections }: Pick<SeatMap, 'sections'>,
  board: Pick<SeatBoard, 'snapshot'>,
): ShowReading['seats'] {
  const byNumber = new Uint32Array(STATUSES.length);
  for (const { index, seatCount } of sections) {
    const statuses = unpackStatuses(board.snapshot(index).packed, seatCount);
    for (const status of statuses ?? []) byNumber[status] = (byNumber[status] ?? 0) + 1;
  }
  const count = (status: SeatStatusName): number => byNumber[seatStatusNumbers[status]] ?? 0;
  return {
    available: count('available'),
    held: count('held'),
    sold: count('sold'),
    blocked: count('blocked'),
  };
}

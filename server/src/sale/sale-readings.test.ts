import { ManualClock } from '@stampede/shared/platform/clock.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { BLOCKED, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { describe, expect, it } from 'vitest';
import { demoShows } from '../catalog/demo-shows.ts';
import type { Show } from '../catalog/show.ts';
import { loadVenueLayout } from '../catalog/venue-layout-file.ts';
import { sessionId, showId } from '../platform/ids.ts';
import { SeatBoard } from './seat-board.ts';
import { MemoryWaitingRoomStore } from '../waiting-room/memory-waiting-room-store.ts';
import { rulesOf } from '../waiting-room/waiting-room.ts';
import { readShows, readWaitingRooms } from './sale-readings.ts';

const clock = new ManualClock();
const layout = await loadVenueLayout(new URL('../catalog/venues/gaivotas-hall.json', import.meta.url));
const { venue: _venue, ...draft } = demoShows(clock.now())[3]!;
const show: Show = {
  ...draft,
  id: showId(7),
  layout,
  seatMap: seatMapOf(layout),
  drawSeed: 'ab'.repeat(32),
  paused: false,
};

describe('readings of sales', () => {
  it('counts every seat of a show by its status', () => {
    const { seatCount, sections } = show.seatMap;
    const statuses = new Uint8Array(seatCount);
    statuses.fill(SOLD, 0, 10);
    statuses.fill(HELD, 10, 13);
    statuses[seatCount - 1] = BLOCKED;
    const board = new SeatBoard(show.seatMap, show.prices.length);
    board.reset({ epoch: 1, statuses, sequences: sections.map(() => 0) });
    const [reading] = readShows([{ show, board, sessionCount: 5 }]);
    expect(reading).toEqual({
      show: 7,
      sessions: 5,
      seats: { available: seatCount - 14, held: 3, sold: 10, blocked: 1 },
    });
  });

  it('tells who waits and who was let in', async () => {
    const store = new MemoryWaitingRoomStore(() => undefined, clock);
    const waitingRules = {
      ...rulesOf(show, { graceMs: 1, claimMs: 1, queueMax: 9, placesPerNetworkMax: 1_000 }),
      admissionBurst: 1,
    };
    for (const name of ['a', 'b', 'c']) await store.join(waitingRules, sessionId(name));
    await store.admit(waitingRules);
    const rooms = await readWaitingRooms([{ show, waitingRules }], store);
    expect(rooms).toEqual([{ show: 7, waiting: 2, admitted: 1 }]);
  });
});

import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OnShowChange } from '../catalog/catalog.ts';
import type { ListedShow, Show } from '../catalog/show.ts';
import { MemoryShowFeed } from '../feed/memory-show-feed.ts';
import { sessionId, showId } from '../platform/ids.ts';
import { nextTurn } from '../platform/outside.ts';
import { MemorySeatStore } from '../seating/memory-seat-store.ts';
import { MemoryWaitingRoomStore } from '../waiting-room/memory-waiting-room-store.ts';
import { draftOf, DRAW_SEED, layoutOf } from '../../test/integration/app-stand-show.ts';
import { waitingRoomSettings } from '../../test/integration/app-stand-sale.ts';
import { MemoryBusyShows } from './memory-busy-shows.ts';
import { LOOKED_AT_MAX, QUIET_MS, Sales } from './sales.ts';

const [ONE, TWO] = [showId(1), showId(2)];
const ANA = sessionId('ana'.padEnd(22, '-'));
const tab = { tell: () => undefined, restart: () => undefined };

let clock: ManualClock;
let seats: MemorySeatStore;
let waitingRoom: MemoryWaitingRoomStore;
let busy: MemoryBusyShows;
let shows: Show[];
let listeners: OnShowChange[];
let newNode: () => Promise<Sales>;

beforeEach(() => {
  clock = new ManualClock();
  const feed = new MemoryShowFeed({ nextTurn });
  waitingRoom = new MemoryWaitingRoomStore((show, entry) => feed.publish(show, entry), clock);
  seats = new MemorySeatStore({ feed, admissions: waitingRoom, newEpoch: () => 7, clock });
  busy = new MemoryBusyShows();
  const layout = layoutOf('house', [20, 20]);
  listeners = [];
  shows = [ONE, TWO].map((id): Show => ({
    ...draftOf('Show', 'house', clock.now()),
    ...{ id, layout, seatMap: seatMapOf(layout), drawSeed: DRAW_SEED, paused: false },
  }));
  const venue = { id: 'house', name: '', city: '', timeZone: 'UTC', priceLevels: [], seatCount: 40 };
  const listed = (): ListedShow[] => shows.map((show) => ({ ...show, venue, cancelled: false, version: 1 }));
  const orders = {
    soldCounts: async () => new Map([[TWO, 40]]),
    soldSeats: async () => [],
    byIds: async () => [],
  };
  newNode = async () => {
    const sales = new Sales({
      ...{ feed, seats, busy, orders },
      catalog: {
        list: listed,
        find: (id) => listed().find((show) => show.id === id) ?? null,
        show: async (id) => shows.find((show) => show.id === id) ?? null,
        lastStartsAt: 0,
        onChange: (listener) => void listeners.push(listener),
      },
      paymentLog: { pending: async () => [] },
      outside: { clock, random: seededRandom(1), nextTurn, report: () => undefined },
      waitingRoom: { store: waitingRoom, settings: waitingRoomSettings },
      audience: { publish: () => undefined, size: () => 0 },
      seatsHeldPerAddressPercent: 100,
      countSeatChanges: () => undefined,
    });
    await sales.start();
    return sales;
  };
});

/** A minute, in which every node keeps up each second. */
async function pass(ms: number, ...nodes: readonly Sales[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(1_000);
    for (const node of nodes) await node.keepUp(true);
  }
}

describe('the sales of a node', () => {
  it('lists shows, their free seats and phases without opening any', async () => {
    const sales = await newNode();
    expect(sales.catalogue().map((listed) => [listed.freeSeats, listed.phase()])).toEqual([
      [40, 'open'],
      [0, 'sold-out'],
    ]);
    await pass(5_000, sales);
    expect(sales.list()).toEqual([]);
    expect(await seats.isOpen(ONE)).toBe(false);
  });

  it('opens a show for its first buyer, once, on every node', async () => {
    const [here, there] = [await newNode(), await newNode()];
    const [sale, again] = await Promise.all([here.enter(ONE), here.enter(ONE)]);
    expect(again).toBe(sale);
    await there.keepUp(true);
    expect(there.list().map(({ show }) => show.id)).toEqual([ONE]);
    expect(await here.enter(showId(9))).toBe(null);
  });

  it('looking at a show is no reason for other nodes to open it', async () => {
    const [here, there] = [await newNode(), await newNode()];
    await here.look(ONE);
    await there.keepUp(true);
    expect(there.list()).toEqual([]);
  });

  it('[P7] keeps no more shows open for lookers than its bound, and the ones that buyers are in', async () => {
    const sales = await newNode();
    const first = shows[0]!;
    const many = Array.from({ length: LOOKED_AT_MAX + 2 }, (_, index) => showId(index + 10));
    shows.push(...many.map((id): Show => ({ ...first, id })));
    await sales.enter(ONE);
    const openings = many.map((id) => sales.look(id));
    expect((await Promise.all(openings)).slice(-2)).toEqual(['busy', 'busy']);
    expect(sales.list()).toHaveLength(LOOKED_AT_MAX + 1);
    // Whoever is looked at again stays, and the one of longest ago goes.
    await sales.look(many[0]!);
    await sales.look(many.at(-1)!);
    const open = new Set(sales.list().map(({ show }) => show.id));
    expect(open.size).toBe(LOOKED_AT_MAX + 1);
    expect([ONE, many[0]!, many[1]!, many.at(-1)!].map((id) => open.has(id))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    // One that a buyer enters counts no more.
    await sales.enter(many[0]!);
    await sales.look(many[1]!);
    expect(sales.list()).toHaveLength(LOOKED_AT_MAX + 2);
  });

  it('a show that is deleted is let go at once, and is not busy for long', async () => {
    const sales = await newNode();
    const sale = await sales.enter(ONE);
    sale?.enter(ANA, tab);
    shows = shows.filter(({ id }) => id !== ONE);
    for (const listener of listeners) listener(ONE, null);
    expect(sales.list()).toEqual([]);
    await pass(2 * QUIET_MS, sales);
    expect(sales.list()).toEqual([]);
    expect(await busy.list()).toEqual(new Map());
  });

  it('lets a show go when nobody was in it for a while, and remembers how many seats it has', async () => {
    const [here, there] = [await newNode(), await newNode()];
    const sale = await here.enter(ONE);
    sale?.enter(ANA, tab);
    await pass(2 * QUIET_MS, here, there);
    expect([here.list().length, there.list().length]).toEqual([1, 1]);
    sale?.leave(ANA, tab);
    await pass(2 * QUIET_MS, here, there);
    expect([here.list(), there.list()]).toEqual([[], []]);
    expect(await busy.list()).toEqual(new Map());
    expect(here.listed(ONE)?.freeSeats).toBe(40);
  });

  it('[P3] serves a show that its gateway let go, as long as somebody holds seats in it or waits', async () => {
    const [gateway, scheduler] = [await newNode(), await newNode()];
    const sale = await gateway.enter(ONE);
    if (!sale) throw new Error('there is no such show');
    await waitingRoom.join(sale.waitingRules, ANA);
    gateway.stop();
    await pass(3 * QUIET_MS, scheduler);
    expect(scheduler.list().map(({ show }) => show.id)).toEqual([ONE]);
    await waitingRoom.leave(sale.waitingRules, ANA);
    await pass(3 * QUIET_MS, scheduler);
    expect(scheduler.list()).toEqual([]);
  });

  it('[P3] says that a show is busy as long as somebody holds seats in it, should the store have forgotten', async () => {
    const [gateway, scheduler] = [await newNode(), await newNode()];
    const sale = await gateway.enter(ONE);
    if (!sale) throw new Error('there is no such show');
    await waitingRoom.join(sale.waitingRules, ANA);
    await waitingRoom.admit(sale.waitingRules);
    const hold = { kind: 'hold', session: ANA, network: null, seats: [4], prices: [100] } as const;
    expect(await seats.take(sale.seatRules, [hold])).toMatchObject([{ ok: true }]);
    await new Promise<void>((told) => nextTurn(told));
    await busy.forget(ONE);
    clock.advance(6_000);
    await gateway.keepUp(false);
    await scheduler.keepUp(true);
    expect(scheduler.list().map(({ show }) => show.id)).toEqual([ONE]);
  });

  it('takes up a show that is busy though every node died, however long ago', async () => {
    await busy.announce([ONE], clock.now());
    clock.advance(100 * QUIET_MS);
    const sales = await newNode();
    await sales.keepUp(true);
    expect(sales.list().map(({ show }) => show.id)).toEqual([ONE]);
  });

  it('a hold that an outcome gives back ends though nobody is in its show', async () => {
    const sales = await newNode();
    expect((await sales.seatRules(ONE))?.show).toBe(ONE);
    await sales.keepUp(true);
    expect(sales.list().map(({ show }) => show.id)).toEqual([ONE]);
  });
});

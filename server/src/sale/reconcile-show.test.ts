import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, it } from 'vitest';
import { holdToken, orderId, type SessionId, sessionId, showId } from '../platform/ids.ts';
import { differencesOf, reconcileShow } from './reconcile-show.ts';
import { MemorySeatStore } from '../seating/memory-seat-store.ts';
import { MemoryShowFeed } from '../feed/memory-show-feed.ts';
import type { SeatRules } from '../seating/seat-store.ts';
import { nextTurn } from '../platform/outside.ts';

const show = showId(4);
const [ana, ben] = [sessionId('ana'), sessionId('ben')];
const rules: SeatRules = {
  show,
  seatCount: 6,
  sectionOf: new Uint16Array(6),
  sectionCount: 1,
  seatsPerBuyer: 4,
  seatsPerNetwork: Infinity,
  holdLifetimeMs: 60_000,
  extensionsMax: 0,
};
type Row = { readonly seat: number; readonly session: SessionId };

/** A live store and a database that can be made to disagree. */
class Desk {
  readonly clock = new ManualClock();
  rows: Row[] = [];
  looks = 0;
  /** Called before each look at the rows. */
  onLook: () => void | Promise<void> = () => undefined;
  readonly #feed = new MemoryShowFeed({ nextTurn });
  readonly #seats = new MemorySeatStore({
    feed: this.#feed,
    admissions: { isAdmitted: () => true },
    newEpoch: () => 1,
    clock: this.clock,
  });

  open(sold: readonly Row[]): Promise<void> {
    this.rows = [...sold];
    return this.#seats.open(rules, { sold, checkouts: [] });
  }

  /** The end of an order's way: the worker tells the seats. */
  sellLive(session: SessionId, ...seats: readonly number[]): Promise<void> {
    const sale = { id: orderId(`of ${session}`), show, seats, amount: 0, currency: 'EUR' };
    const order = { ...sale, status: 'confirmed', createdAt: 0, reason: '', tickets: [] } as const;
    return this.#seats.settle(rules, [{ kind: 'sold', session, holdToken: holdToken(1), order }]);
  }

  sellInDatabase(session: SessionId, ...seats: readonly number[]): void {
    this.rows.push(...seats.map((seat) => ({ seat, session })));
  }

  async reconcile() {
    const orders = {
      soldSeats: async () => {
        this.looks++;
        await this.onLook();
        return [...this.rows];
      },
    };
    const work = reconcileShow({ seats: this.#seats, feed: this.#feed, orders, clock: this.clock }, show);
    const progress = { isOver: false };
    void work.finally(() => {
      progress.isOver = true;
    });
    while (!progress.isOver) {
      await turn();
      this.clock.advance(1_000);
    }
    return work;
  }
}

describe('live seats against rows', () => {
  it('no difference is told after one look', async () => {
    const desk = new Desk();
    await desk.open([{ seat: 1, session: ana }]);
    const same = { show, isOpen: true, sold: 1, onlyLive: [], onlyInDatabase: [], miscounted: [] };
    expect(await desk.reconcile()).toEqual(same);
    expect(desk.looks).toBe(1);
  });

  it('finds seats sold on one side only, and buyers whose counts are wrong', async () => {
    const desk = new Desk();
    await desk.open([{ seat: 1, session: ana }]);
    await desk.sellLive(ben, 4, 3);
    desk.sellInDatabase(ana, 0);
    expect(await desk.reconcile()).toMatchObject({
      sold: 2,
      onlyLive: [3, 4],
      onlyInDatabase: [0],
      miscounted: [
        { session: ana, live: 1, inDatabase: 2 },
        { session: ben, live: 2, inDatabase: 0 },
      ],
    });
  });

  it('finds a seat that has another owner in the database, though it is sold on both sides', async () => {
    const desk = new Desk();
    await desk.open([]);
    await desk.sellLive(ben, 2);
    desk.sellInDatabase(ana, 2);
    const found = await desk.reconcile();
    expect(found).toMatchObject({ onlyLive: [], onlyInDatabase: [] });
    expect(differencesOf(found)).toBe(2);
  });

  it('an order that is being settled meanwhile is no difference, however many there are', async () => {
    const desk = new Desk();
    await desk.open([]);
    desk.onLook = async () => {
      const buyer = sessionId(`buyer ${desk.looks}`);
      const previous = sessionId(`buyer ${desk.looks - 1}`);
      if (desk.looks <= rules.seatCount) desk.sellInDatabase(buyer, desk.looks - 1);
      if (desk.looks > 1) await desk.sellLive(previous, desk.looks - 2);
    };
    expect(differencesOf(await desk.reconcile())).toBe(0);
    expect(desk.looks).toBeGreaterThan(1);
  });

  it('a show that the live store lost is sold there to nobody', async () => {
    const desk = new Desk();
    expect(await desk.reconcile()).toMatchObject({ isOpen: false });
    desk.sellInDatabase(ana, 0, 5);
    expect(await desk.reconcile()).toMatchObject({ isOpen: false, onlyInDatabase: [0, 5] });
  });
});

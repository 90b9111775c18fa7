import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SeatRange, SoldSeat } from '../checkout/order-store.ts';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import { compareShow } from './reconcile-show.ts';
import { ReconciliationJob } from './reconciliation-job.ts';
import { MemorySeatStore } from '../seating/memory-seat-store.ts';
import { MemoryShowFeed } from '../feed/memory-show-feed.ts';
import type { SeatRules } from '../seating/seat-store.ts';
import { nextTurn } from '../platform/outside.ts';

const show = showId(4);
const [ana, ben] = [sessionId('ana'), sessionId('ben')];
const seatRules: SeatRules = {
  show,
  seatCount: 8,
  sectionOf: new Uint16Array(8),
  sectionCount: 1,
  seatsPerBuyer: 4,
  seatsPerNetwork: Infinity,
  holdLifetimeMs: 60_000,
  extensionsMax: 0,
};

const clock = new ManualClock();
/** What the database has. */
let rows: SoldSeat[];
/** Seats of payments that are under way. */
let paidFor: number[];
let hasLease: boolean;
/** Whether the show is open here. */
let isListed: boolean;
let mended: string[];
let reports: string[];
let seats: MemorySeatStore;
let job: ReconciliationJob;

beforeEach(async () => {
  [rows, paidFor, mended, reports, hasLease, isListed] = [[], [], [], [], true, true];
  const feed = new MemoryShowFeed({ nextTurn });
  const admissions = { isAdmitted: () => true };
  seats = new MemorySeatStore({ feed, admissions, newEpoch: () => 1, clock });
  await seats.open(seatRules, { sold: [], checkouts: [] });
  const orders = {
    soldSeats: async (_: unknown, { from, to }: SeatRange = { from: 0, to: 8 }) =>
      rows.filter(({ seat }) => seat >= from && seat < to),
  };
  job = new ReconciliationJob({
    seats,
    feed,
    orders,
    paymentLog: { pending: async () => [{ seats: paidFor } as never] },
    sales: () => (isListed ? [{ seatRules }] : []),
    keepLease: async () => hasLease,
    onMended: (kind, count) => {
      if (count > 0) mended.push(`${kind} ${count}`);
    },
    outside: { clock, report: (message) => void reports.push(message) },
  });
  differences = async () => {
    const { onlyLive, onlyInDatabase, miscounted } = await compareShow({ seats, feed, orders }, show);
    return { onlyLive, onlyInDatabase, miscounted: miscounted.length };
  };
});

let differences: () => Promise<unknown>;
const NONE = { onlyLive: [], onlyInDatabase: [], miscounted: 0 };

/** Lets the job look as often as it does in so many seconds. */
async function pass(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 2) {
    clock.advance(2_000);
    await job.tick();
  }
}

async function sellLive(session: typeof ana, ...sold: readonly number[]): Promise<void> {
  const sale = { id: orderId(`of ${session}`), show, seats: sold, amount: 0, currency: 'EUR' };
  const order = { ...sale, status: 'confirmed', createdAt: 0, reason: '', tickets: [] } as const;
  await seats.settle(seatRules, [{ kind: 'sold', session, holdToken: holdToken(1), order }]);
}

describe('reconciliation that runs all the time', () => {
  it('[P1] what the database sold is sold live, after the time in which an outcome is on its way', async () => {
    rows = [2, 3].map((seat) => ({ seat, session: ana }));
    await pass(8);
    expect(mended).toEqual([]);
    expect(job.differences).toBe(0);
    await pass(4);
    expect(mended).toEqual(['sold 2']);
    expect(await differences()).toEqual(NONE);
    expect(await seats.boughtSeats(show)).toEqual(new Map([[ana, 2]]));
    await pass(20);
    expect(mended).toEqual(['sold 2']);
    expect(job.differences).toBe(0);
  });

  it('[P3] what is nobody’s is on sale again after a minute, and what it counted for is forgotten', async () => {
    await sellLive(ben, 5, 6);
    await pass(40);
    expect(mended).toEqual([]);
    expect(job.differences).toBe(3);
    await pass(30);
    expect(mended).toEqual(['unsold 2', 'counts 1']);
    expect(await differences()).toEqual(NONE);
  });

  it('[P2] not while a payment for it is under way', async () => {
    await sellLive(ben, 5);
    paidFor = [5];
    await pass(120);
    expect(mended).toEqual(['counts 1']);
    expect(await differences()).toMatchObject({ onlyLive: [5] });
    expect(job.differences).toBe(1);
  });

  it('[P1] an order that is settled within seconds is left alone, however many come', async () => {
    for (let seat = 0; seat < 8; seat++) {
      rows.push({ seat, session: sessionId(`buyer ${seat}`) });
      await pass(4);
      await sellLive(sessionId(`buyer ${seat}`), seat);
    }
    await pass(60);
    expect(mended).toEqual([]);
    expect(job.differences).toBe(0);
  });

  it('one difference that can’t be mended holds up no other', async () => {
    await sellLive(ben, 5);
    paidFor = [5];
    await pass(60);
    rows.push({ seat: 1, session: ana });
    await pass(20);
    expect(mended).toContain('sold 1');
  });

  it('what differed in a show that is not there any more is told of no longer', async () => {
    await sellLive(ben, 5);
    await pass(20);
    expect(job.differences).toBe(2);
    isListed = false;
    await pass(2);
    expect(job.differences).toBe(0);
  });

  it('only who has the lease looks, and begins anew', async () => {
    rows = [{ seat: 2, session: ana }];
    await pass(8);
    hasLease = false;
    await pass(60);
    hasLease = true;
    await pass(8);
    expect(mended).toEqual([]);
    await pass(20);
    expect(mended).toEqual(['sold 1']);
  });

  it('[P1] a seat that somebody holds meanwhile is taken from them', async () => {
    rows = [{ seat: 2, session: ana }];
    await seats.take(seatRules, [{ kind: 'hold', session: ben, network: null, seats: [2], prices: [1] }]);
    await pass(20);
    expect(await seats.holdOf(show, ben)).toBeNull();
    expect(await differences()).toEqual(NONE);
  });

  it('a show that can’t be compared is reported and looked at again', async () => {
    const lost = showId(99);
    const other = new ReconciliationJob({
      ...{ seats, feed: new MemoryShowFeed({ nextTurn }), orders: { soldSeats: async () => [] } },
      ...{ paymentLog: { pending: async () => [] }, keepLease: async () => true, onMended: () => undefined },
      sales: () => [{ seatRules }, { seatRules: { ...seatRules, show: lost } }],
      outside: { clock, report: (message) => void reports.push(message) },
    });
    await other.tick();
    expect(reports).toEqual([`live seats and database of show ${show} could not be compared`]);
  });
});

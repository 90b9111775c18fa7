import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryShowFeed } from '../../src/feed/memory-show-feed.ts';
import type { FeedEntry, Hold } from '../../src/feed/show-feed.ts';
import { holdToken, networkTag, type SessionId } from '../../src/platform/ids.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { MemorySeatStore } from '../../src/seating/memory-seat-store.ts';
import type { Checkout, SeatStep } from '../../src/seating/seat-steps.ts';
import { CHECKOUT_CARE } from '../../src/seating/seat-store.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { type RedisNode, redisNode } from './redis/seat-stand.ts';
import type { FeedReader } from './seating/feed-reader.ts';
import {
  HOLD_LIFETIME_MS,
  newOrderId,
  PAYMENT_TIME_MS,
  priceOf,
  SeatStand,
  type SeatStoreFixture,
} from './seating/seat-stand.ts';

const SEAT_COUNT = 7;
const BUYERS = ['ana', 'ben', 'cleo', 'dan'];
const NETWORKS = [null, networkTag('a-network'), networkTag('another')];
const ACTS_MAX = 30;
const SALES = 60;

let server: NativeServer;
let node: RedisNode;
beforeAll(async () => {
  server = await startRedis();
  node = redisNode(await connectTo(server.url), { checkpoints: { every: 10_000, kept: 10_000 } });
});
afterAll(async () => {
  await node.close();
  await server.remove();
});

function inProcess(): SeatStoreFixture {
  const deadlines = new Map<SessionId, number>();
  const feed = new MemoryShowFeed({ nextTurn });
  const clock = new ManualClock();
  const admissions = {
    isAdmitted: (_: number, session: SessionId, now: number) => (deadlines.get(session) ?? 0) > now,
  };
  return {
    store: new MemorySeatStore({ feed, admissions, newEpoch: () => 1, clock }),
    feed,
    clock,
    admit: async (_, session, deadline) => void deadlines.set(session, deadline),
    close: async () => undefined,
  };
}

const buyer = fc.nat(BUYERS.length - 1);
const seat = fc.oneof(
  { weight: 30, arbitrary: fc.nat(SEAT_COUNT - 1) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 99) },
);
/** Whose token a step shows: mostly the caller's, sometimes another's or one that nobody has. */
const token = fc.oneof(
  { weight: 8, arbitrary: fc.constant('own' as const) },
  { weight: 1, arbitrary: fc.constantFrom('other' as const, 'none' as const) },
);
const wish = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      buyer,
      network: fc.constantFrom(...NETWORKS),
      seats: fc.array(seat, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('extend' as const), buyer, token }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      buyer,
      token,
      seats: fc.array(seat, { maxLength: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('checkout' as const),
      buyer,
      token,
      key: fc.constantFrom('key-one-', 'key-two-'),
      off: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('accept', 'abandon'), order: fc.nat(20) }) },
);
const act = fc.oneof(
  { weight: 8, arbitrary: fc.array(wish, { minLength: 1, maxLength: 4 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 9_000, 31_000, CHECKOUT_CARE.againMs, HOLD_LIFETIME_MS, PAYMENT_TIME_MS),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      order: fc.nat(20),
      kind: fc.constantFrom('sold' as const, 'returned' as const, 'voided' as const),
    }),
  },
);
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** A store beside another, and what its feed has said since the last look. */
interface Side {
  readonly stand: SeatStand;
  readonly reader: FeedReader;
}

/** One sale in two stores, which have to say the same of everything. */
class SaleInTwo {
  readonly #sides: readonly Side[];
  readonly #sessions: readonly SessionId[];
  readonly #orders: { readonly session: SessionId; readonly hold: Checkout['hold'] }[] = [];

  private constructor(sides: readonly Side[], sessions: readonly SessionId[]) {
    this.#sides = sides;
    this.#sessions = sessions;
  }

  static async open(...fixtures: readonly SeatStoreFixture[]): Promise<SaleInTwo> {
    const sides: Side[] = [];
    let sessions: readonly SessionId[] = [];
    for (const fixture of fixtures) {
      const stand = await SeatStand.open(fixture, { seatCount: SEAT_COUNT });
      sides.push({ stand, reader: await stand.reader() });
      // The last one's admission ends amid most sales.
      const deadlines = BUYERS.map((_, index) => (index === 3 ? stand.now + HOLD_LIFETIME_MS : undefined));
      sessions = await Promise.all(BUYERS.map((name, index) => stand.buyer(name, deadlines[index])));
    }
    return new SaleInTwo(sides, sessions);
  }

  async run(one: Act): Promise<void> {
    if (typeof one === 'number') {
      for (const { stand } of this.#sides) stand.pass(one);
      await this.#both((stand) => stand.expire());
      await this.#both(async (stand) => (await stand.overdue()).toSorted());
    } else if ('length' in one) {
      const steps = await Promise.all(one.map((each) => this.#stepOf(each)));
      const known = steps.flatMap((step) => step ?? []);
      const outcomes = await this.#both((stand) => stand.store.take(stand.rules, known));
      for (const [index, outcome] of outcomes.entries()) {
        const step = known[index];
        if (step?.kind !== 'checkout' || !outcome.ok) continue;
        this.#orders.push({ session: step.session, hold: (outcome.value as Checkout).hold });
      }
    } else {
      const paid = this.#orders[one.order % (this.#orders.length || 1)];
      if (paid) await this.#both((stand) => stand.settle(stand.fate(one.kind, paid.session, paid.hold)));
    }
    for (const session of this.#sessions) await this.#both((stand) => stand.holdOf(session));
    await this.#both((stand) => stand.store.boughtSeats(stand.show));
    await this.#both((stand) => stand.picture());
  }

  /** Compares what the feeds have said. */
  async end(): Promise<void> {
    const said = await Promise.all(
      this.#sides.map(async ({ stand, reader }) => {
        await stand.drain(reader);
        return {
          told: toldOf(reader, this.#sessions),
          sequences: reader.sequences,
          bases: reader.bases.length,
        };
      }),
    );
    expect(said[1]).toEqual(said[0]);
  }

  async #both<T>(ask: (stand: SeatStand) => Promise<T>): Promise<T> {
    const [one, other] = await Promise.all(this.#sides.map(({ stand }) => ask(stand)));
    expect(other).toEqual(one);
    return one as T;
  }

  async #stepOf(one: Wish): Promise<SeatStep | null> {
    if ('order' in one) {
      const order = this.#orders[one.order % (this.#orders.length || 1)];
      if (!order) return null;
      return { kind: one.kind as 'accept', session: order.session, orderId: order.hold.orderId };
    }
    const session = this.#sessions[one.buyer]!;
    if (one.kind === 'hold') {
      return {
        kind: 'hold',
        session,
        network: one.network,
        seats: one.seats,
        prices: one.seats.map(priceOf),
      };
    }
    const shown = one.token === 'other' ? this.#sessions[(one.buyer + 1) % BUYERS.length]! : session;
    const hold: Hold | null = one.token === 'none' ? null : await this.#sides[0]!.stand.holdOf(shown);
    const asked = { session, holdToken: hold?.holdToken ?? holdToken(7) };
    if (one.kind === 'extend') return { kind: 'extend', ...asked };
    if (one.kind === 'release') return { kind: 'release', ...asked, seats: one.seats };
    return {
      ...{ kind: 'checkout', ...asked, idempotencyKey: one.key, amount: (hold?.amount ?? 0) + one.off },
      ...{ orderId: newOrderId(), keepMs: PAYMENT_TIME_MS },
    };
  }
}

/** Whole entries in their order, for each buyer: holds that run out in the same instant end in any order. */
function toldOf(reader: FeedReader, sessions: readonly SessionId[]): readonly (readonly FeedEntry[])[] {
  return sessions.map((session) =>
    reader.entries
      .filter(({ notice }) => notice && 'session' in notice && notice.session === session)
      .map(({ changes, notice }) => ({
        changes,
        notice: notice?.kind === 'order' ? { ...notice, order: { ...notice.order, show: 0 } } : notice,
      })),
  );
}

describe('seats in the process and in Redis', () => {
  it('[P1] [P3] [P5] any steps at any time: outcomes, holds, seats and feed entries are the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: ACTS_MAX, size: 'max' }), async (acts) => {
        const sale = await SaleInTwo.open(inProcess(), node);
        for (const one of acts) await sale.run(one);
        await sale.end();
      }),
      { numRuns: SALES },
    );
  });
});

describe('steps of one turn', () => {
  it('go in one call of Redis, whoever asked for them, and those of the next turn in another', async () => {
    const stand = await SeatStand.open(node, { seatCount: 8 });
    const sessions = await Promise.all(['ana', 'ben', 'cleo'].map((name) => stand.buyer(name)));
    // Redis knows the script by then.
    await stand.holding(sessions[0]!, 7);
    const calls = vi.spyOn(node.connection.client, 'callBuffer');
    const outcomes = await Promise.all(sessions.map((session, index) => stand.hold(session, index)));
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(calls).toHaveBeenCalledTimes(1);
    await stand.hold(sessions[0]!, 4);
    expect(calls).toHaveBeenCalledTimes(2);
    await Promise.all(sessions.map((session) => stand.holdOf(session)));
    expect(calls).toHaveBeenCalledTimes(3);
    calls.mockRestore();
  });

  it('[P7] go in calls of bounded length, and under rules that changed amid a turn in calls of their own', async () => {
    const stand = await SeatStand.open(node, { seatCount: 8 });
    const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
    const hold = await stand.holding(ana, 7);
    const calls = vi.spyOn(node.connection.client, 'callBuffer');
    await Promise.all(Array.from({ length: 251 }, () => stand.extend(ben, hold.holdToken)));
    expect(calls).toHaveBeenCalledTimes(2);
    const stricter = { ...stand.rules, seatsPerBuyer: 1 };
    const [before, after] = await Promise.all([
      stand.hold(ben, 0),
      stand.store.take(stricter, [stand.ask(ben, 1)]),
    ]);
    expect(before.ok).toBe(true);
    expect(after[0]).toMatchObject({ ok: false, code: 'limit-exceeded' });
    expect(calls).toHaveBeenCalledTimes(4);
    calls.mockRestore();
  });
});

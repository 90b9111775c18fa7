import type {
  ClientChange,
  Connection,
  HoldView,
  Refused,
  Standing,
} from '@stampede/shared/client/stampede-client.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import type { OrderMessage, OrderStatus, Phase } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { describe, expect, it } from 'vitest';
import { Buyer } from './buyer.ts';
import { RunKeys, type ToldSeat } from './ledger.ts';
import { Tally } from './report.ts';
import { rankSeats } from '../shopper/seat-choice.ts';
import type { ShopperClient } from '../shopper/shopper.ts';

const arc = { from: [0, 1], to: [3, 1], bend: 0 } as const;
const map = seatMapOf({
  id: 'tiny',
  name: 'Tiny',
  city: 'Here',
  width: 9,
  height: 9,
  landmarks: [],
  priceLevels: ['all'],
  sections: [
    {
      name: 'Floor',
      tier: 'Floor',
      blocks: [{ priceLevel: 0, rows: 1, firstRow: 'A', seats: [4, 4], front: arc, back: arc }],
    },
  ],
});

/** A server of one section for one buyer, which a test moves by hand. */
class StagedClient implements ShopperClient {
  readonly orders = new Map<string, OrderMessage>();
  readonly asked: string[] = [];
  readonly taken = new Set<number>();
  statuses = Uint8Array.of(AVAILABLE, AVAILABLE, AVAILABLE, AVAILABLE);
  connection: Connection = { state: 'connecting' };
  phase: Phase = 'open';
  standing: Standing = { state: 'unknown' };
  held: HoldView | null = null;
  watched = false;
  /** Refuses the next request of this name. */
  refusal: { what: string; code: Refused['code'] } | null = null;
  readonly #listeners = new Set<(change: ClientChange) => void>();

  get view(): ShopperClient['view'] {
    return {
      connection: this.connection,
      serverTimeOffsetMs: 0,
      sale: { show: 4, epoch: 1, seatsPerBuyer: 4, holdLifetimeMs: 60_000 },
      phase: { phase: this.phase, lobbyAt: 0, opensAt: 0 },
      standing: this.standing,
      hold: this.held,
      orders: this.orders,
      summaries: new Map([
        [0, { section: 0, free: this.statuses.filter((s) => s === AVAILABLE).length, cheapest: 0 }],
      ]),
      sections: new Map(this.watched ? [[0, { epoch: 1, sequence: 1, statuses: this.statuses }]] : []),
    };
  }

  onChange(listener: (change: ClientChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(change: ClientChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  start(): void {
    this.connection = { state: 'open' };
    this.standing = { state: 'outside', reason: 'not-joined' };
    this.tell({ kind: 'connection' });
  }

  stop(): void {
    this.connection = { state: 'stopped', reason: 'by-user' };
    this.tell({ kind: 'connection' });
  }

  enter: ShopperClient['enter'] = () => this.#answer('enter');
  leave: ShopperClient['leave'] = () => this.#answer('leave');

  join: ShopperClient['join'] = () => {
    this.standing = { state: 'admitted', deadline: 9 };
    return this.#answer('join');
  };

  watch: ShopperClient['watch'] = () => {
    this.watched = true;
    return this.#answer('watch');
  };

  hold: ShopperClient['hold'] = async (seats) => {
    this.asked.push(`hold ${seats.join()}`);
    const clash = seats.filter((seat) => this.taken.has(seat));
    if (clash.length > 0) return this.#refused('seat-taken', clash);
    this.held = { holdToken: 1, seats, expiresAt: 9, extensionsLeft: 1, orderId: null, payment: 'none' };
    return { ok: true, hold: this.held };
  };

  extend: ShopperClient['extend'] = () => this.#answer('extend');
  listOrders: ShopperClient['listOrders'] = async () => ({ ok: true, orders: [] });

  release: ShopperClient['release'] = () => {
    this.held = null;
    return this.#answer('release');
  };

  checkout: ShopperClient['checkout'] = async ({ idempotencyKey, amount }) => {
    this.asked.push(`checkout ${amount}`);
    const order = this.settle('processing', idempotencyKey);
    return { ok: true, order };
  };

  settle(status: OrderStatus, id = [...this.orders.keys()].at(-1) ?? ''): OrderMessage {
    const seats = this.held?.seats ?? [];
    const tickets = status === 'confirmed' ? seats.map((seat) => `T${seat}`) : [];
    const order = {
      id,
      show: 4,
      status,
      seats,
      amount: 0,
      currency: 'EUR',
      createdAt: 0,
      reason: '',
      tickets,
    };
    this.orders.set(id, order);
    this.tell({ kind: 'order', order });
    return order;
  }

  async #answer(what: string): Promise<{ ok: true } | Refused> {
    this.asked.push(what);
    if (this.refusal?.what !== what) return { ok: true };
    const { code } = this.refusal;
    this.refusal = null;
    return this.#refused(code, []);
  }

  #refused(code: Refused['code'], seats: readonly number[]): Refused {
    return { ok: false, code, seats, retryAfterMs: 0, detail: '' };
  }
}

/** Dice that never roll an unlikely number: nobody changes their mind or gives up early. */
const STEADY = (): number => 0.9;

interface Staging {
  readonly client: StagedClient | null;
  readonly wish?: number;
  readonly random?: Random;
  readonly onlySeat?: number;
}

function stage({ client, wish = 2, random = STEADY, onlySeat }: Staging) {
  const clock = new ManualClock();
  const tally = new Tally();
  const told: ToldSeat[] = [];
  const parts = {
    show: {
      id: 4,
      title: 'Tiny show',
      phase: 'open' as const,
      opensAt: 0,
      seatsPerBuyer: 4,
      drawCommitment: '',
      map,
      prices: [700],
    },
    desirability: rankSeats(map),
    onlySeat: onlySeat ?? null,
    pace: { look: [10, 10], again: [10, 10], pay: [10, 10] } as const,
    keys: new RunKeys('r'),
    tally,
    told,
    clock,
    stopwatch: () => 0,
  };
  const buyer = new Buyer(parts, { number: 7, wish, random, openClient: () => Promise.resolve(client) });
  /** Lets so many thoughts and answers come to their end. */
  const live = async (thoughts = 12): Promise<void> => {
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 40; turn++) await Promise.resolve();
    };
    await settle();
    for (let thought = 0; thought < thoughts; thought++) {
      clock.advance(10);
      await settle();
    }
  };
  return { buyer, tally, told, live };
}

describe('a buyer of the crowd', () => {
  it('joins, looks, holds, pays, and leaves with the tickets', async () => {
    const client = new StagedClient();
    const { buyer, tally, told, live } = stage({ client });
    void buyer.visit();
    await live();
    expect(client.asked).toEqual([
      'enter',
      'join',
      'watch',
      expect.stringMatching(/^hold \d,\d$/),
      'checkout 1400',
    ]);
    const seats = client.held?.seats ?? [];
    client.settle('confirmed');
    await live();
    expect(await buyer.finished).toBe('owner');
    expect(told).toEqual(
      seats.map((seat) => ({ buyer: 7, orderId: 'crowd-r-7-0', seat, ticketCode: `T${seat}` })),
    );
    expect(tally.fates.owner).toBe(1);
    expect(tally.errorCount).toBe(0);
    expect(tally.holdLatenciesMs).toHaveLength(1);
  });

  it('takes others when somebody was faster', async () => {
    const client = new StagedClient();
    client.taken.add(0).add(1);
    const { buyer, live } = stage({ client, random: seededRandom(3) });
    void buyer.visit();
    await live(40);
    expect(client.held?.seats).toEqual([2, 3]);
  });

  it('hangs on while seats are only held, and takes the one that comes back', async () => {
    const client = new StagedClient();
    const { buyer, live } = stage({ client });
    void buyer.visit();
    await live(2);
    client.statuses.fill(HELD);
    await live(50);
    expect(client.asked).toEqual(['enter', 'join', 'watch']);
    client.statuses[2] = AVAILABLE;
    client.tell({ kind: 'seats', section: 0, changes: [{ seat: 2, status: AVAILABLE }] });
    await live();
    expect(client.held?.seats).toEqual([2]);
  });

  it('wants one seat and no other: clicks it unseen, waits for it, leaves when it is sold', async () => {
    const client = new StagedClient();
    client.statuses[3] = HELD;
    client.taken.add(3);
    const { buyer, live } = stage({ client, onlySeat: 3 });
    void buyer.visit();
    await live(50);
    expect(client.asked).toEqual(['enter', 'join', 'hold 3', 'watch']);
    const becomes = (status: typeof AVAILABLE | typeof SOLD) => {
      client.statuses[3] = status;
      client.tell({ kind: 'seats', section: 0, changes: [{ seat: 3, status }] });
    };
    becomes(AVAILABLE);
    await live(1);
    client.statuses[3] = HELD;
    await live(30);
    becomes(SOLD);
    await live();
    expect(await buyer.finished).toBe('refused');
    expect(client.asked.slice(4)).toEqual(['hold 3', 'leave']);
  });

  it('leaves refused only when all is sold', async () => {
    const client = new StagedClient();
    client.statuses.fill(SOLD);
    const { buyer, tally, live } = stage({ client });
    void buyer.visit();
    await live();
    expect(buyer.isGone).toBe(false);
    client.phase = 'sold-out';
    client.tell({ kind: 'phase' });
    await live();
    expect(await buyer.finished).toBe('refused');
    expect(client.asked.at(-1)).toBe('leave');
    expect(tally.fates.refused).toBe(1);
  });

  it('tries a declined payment again with another key, and gives the seats up in the end', async () => {
    const client = new StagedClient();
    const { buyer, tally, live } = stage({ client });
    void buyer.visit();
    for (let payment = 0; payment < 3; payment++) {
      await live();
      client.settle('declined');
    }
    await live();
    expect(await buyer.finished).toBe('declined');
    expect([...client.orders.keys()]).toEqual(['crowd-r-7-0', 'crowd-r-7-1', 'crowd-r-7-2']);
    expect(client.asked.at(-1)).toBe('leave');
    expect(tally.errorCount).toBe(0);
  });

  it('goes on when a hold ran out', async () => {
    const client = new StagedClient();
    const { buyer, live } = stage({ client });
    void buyer.visit();
    await live(3);
    expect(client.held).not.toBeNull();
    client.held = null;
    client.tell({ kind: 'hold', ended: { reason: 'expired', seats: [1, 2] } });
    await live();
    expect(client.asked.filter((what) => what.startsWith('hold'))).toHaveLength(2);
  });

  it('tells what must never happen to a well-behaved buyer from what may', async () => {
    const client = new StagedClient();
    client.refusal = { what: 'join', code: 'busy' };
    const { buyer, tally, live } = stage({ client });
    void buyer.visit();
    await live(1);
    expect(tally.notes.get('join: busy')).toBe(1);
    expect(tally.errorCount).toBe(0);
    client.refusal = { what: 'watch', code: 'section-unknown' };
    await live(3);
    expect([...tally.errors.keys()]).toEqual(['watch: section-unknown']);
    client.connection = { state: 'stopped', reason: 'protocol-violation' };
    client.tell({ kind: 'connection' });
    expect(await buyer.finished).toBe('unanswered');
    expect(tally.errorCount).toBe(1);
  });

  it('going home, waits for the outcome of a payment but for nothing else', async () => {
    const client = new StagedClient();
    const { buyer, live } = stage({ client });
    void buyer.visit();
    await live();
    buyer.goHome();
    await live();
    expect(buyer.isGone).toBe(false);
    client.settle('confirmed');
    await live();
    expect(await buyer.finished).toBe('owner');
  });

  it('going home, gives back what it holds', async () => {
    const client = new StagedClient();
    const { buyer, live } = stage({ client });
    void buyer.visit();
    await live(3);
    expect(client.held).not.toBeNull();
    buyer.goHome();
    await live();
    expect(await buyer.finished).toBe('unanswered');
    expect(client.asked.at(-1)).toBe('leave');
  });

  it('has no answer without a session', async () => {
    const { buyer, tally } = stage({ client: null });
    void buyer.visit();
    expect(await buyer.finished).toBe('unanswered');
    expect(tally.answered).toBe(0);
  });
});

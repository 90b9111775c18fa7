import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { showId, type ShowId } from '../../src/platform/ids.ts';
import { showKey } from '../../src/platform/redis-keys.ts';
import { HistoryLostError } from '../../src/seating/redis-seat-store.ts';
import { FeedReader } from './seating/feed-reader.ts';
import { accepted, expectRefused, HOLD_LIFETIME_MS, NO_FACTS, SeatStand } from './seating/seat-stand.ts';
import { beginHistory } from './redis/feed-pen.ts';
import { startProxy } from './redis/breakable-proxy.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo, withNode } from './redis/redis-stand.ts';
import { HARDLY_CUT, type RedisNode, redisNode } from './redis/seat-stand.ts';

/** Other shows than those of the contract, which may share a server one day. */
const SEATS = 40;

describe('seats in Redis, more than one node', () => {
  let server: NativeServer;
  let here: RedisNode;
  let there: RedisNode;
  beforeAll(async () => {
    server = await startRedis();
    here = redisNode(await connectTo(server.url));
    there = redisNode(await connectTo(server.url));
  });
  afterAll(async () => {
    await here.close();
    await there.close();
    await server.remove();
  });

  let stand: SeatStand;
  beforeEach(async () => {
    stand = await SeatStand.open(here, { seatCount: SEATS });
  });

  async function readerOn(node: RedisNode): Promise<FeedReader> {
    const reader = new FeedReader(stand.rules.sectionOf);
    await node.feed.follow(stand.show, reader);
    return reader;
  }

  it('[P5] both hear of what either did, in the same order, with the same sequences', async () => {
    const nodes = [
      redisNode(await connectTo(server.url), { checkpoints: HARDLY_CUT }),
      redisNode(await connectTo(server.url), { checkpoints: HARDLY_CUT }),
    ];
    const readers = await Promise.all(nodes.map((node) => readerOn(node)));
    const buyers = await Promise.all(Array.from({ length: SEATS }, (_, index) => stand.buyer(`b${index}`)));
    await Promise.all(
      buyers.map((buyer, seat) => {
        const { store } = nodes[seat % 2]!;
        return store.take(stand.rules, [stand.ask(buyer, seat, (seat + 1) % SEATS)]);
      }),
    );
    await stand.drain(...readers);
    expect(readers[0]!.entries).toEqual(readers[1]!.entries);
    expect(readers[0]!.sequences).toEqual(readers[1]!.sequences);
    for (const node of nodes) await node.close();
  });

  it('[P1] both hold the same seats at once: each seat has one holder', async () => {
    const buyers = await Promise.all(Array.from({ length: 100 }, (_, index) => stand.buyer(`b${index}`)));
    const outcomes = await Promise.all(
      buyers.map(async (buyer, index) => {
        const { store } = index % 2 === 0 ? here : there;
        const [outcome] = await store.take(stand.rules, [stand.ask(buyer, index % 10)]);
        return outcome;
      }),
    );
    const won = outcomes.flatMap((outcome) => (outcome.ok ? outcome.value.seats : []));
    expect(won.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('[P5] who comes late, long after the stream was cut, counts the same sequences', async () => {
    const early = await readerOn(here);
    const ana = await stand.buyer('ana');
    for (let turn = 0; turn < 60; turn++) {
      const hold = await stand.holding(ana, turn % SEATS);
      accepted(await stand.release(ana, hold.holdToken));
    }
    await stand.drain(early);
    const length = await here.connection.client.xlen(showKey(stand.show, 'feed'));
    expect(length).toBeLessThan(60);
    const late = await readerOn(there);
    expect(late.epoch).toBe(early.epoch);
    await stand.drain(early, late);
    expect(late.statuses).toEqual(early.statuses);
    expect(late.sequences).toEqual(early.sequences);
  });

  it('a hundred calls in flight when the scripts are forgotten: each is answered, none runs twice', async () => {
    const buyers = await Promise.all(Array.from({ length: 39 }, (_, index) => stand.buyer(`b${index}`)));
    const asked = buyers.map((buyer, seat) => {
      if (seat === 20) void here.connection.client.script('FLUSH', 'SYNC');
      return here.store.take(stand.rules, [stand.ask(buyer, seat)]);
    });
    const holds = (await Promise.all(asked)).map(([outcome]) => accepted(outcome));
    expect(new Set(holds.map((hold) => hold.holdToken)).size).toBe(39);
    const tokens = holds.map((hold) => hold.holdToken);
    expect(Math.max(...tokens) - Math.min(...tokens)).toBe(38);
  });

  it('[P1] a connection cut while a hold is on its way: held once, and the buyer finds it again', async () => {
    const proxy = await startProxy(server.url);
    const far = redisNode(await connectTo(proxy.url));
    const ana = await stand.buyer('ana');
    // The script is known by now, so that the next bytes are the hold.
    await far.store.take(stand.rules, [stand.ask(ana, 5)]);
    const before = await stand.holdOf(ana);
    proxy.cutAfterNextRequest();
    await expect(far.store.take(stand.rules, [stand.ask(ana, 6)])).rejects.toThrow('take-steps');
    await expect.poll(async () => (await stand.holdOf(ana))?.seats).toEqual([5, 6]);
    const again = await stand.holding(ana, 6);
    expect(again).toMatchObject({ holdToken: before!.holdToken, seats: [5, 6] });
    await far.close();
    proxy.close();
  });

  it('at the limit, one seat given back and another taken right after it: both happen, in this order', async () => {
    const ana = await stand.buyer('ana');
    const hold = await stand.holding(ana, 0, 1, 2, 3);
    // The script is known by now: one that Redis has to be told anew runs a moment later.
    accepted(await stand.extend(ana, hold.holdToken));
    const [released, taken] = await Promise.all([stand.release(ana, hold.holdToken, 0), stand.hold(ana, 4)]);
    expect(accepted(released)).toMatchObject({ seats: [1, 2, 3] });
    expect(accepted(taken).seats).toEqual([1, 2, 3, 4]);
  });

  it('seats in Redis and the statuses of every follower are the same bytes', async () => {
    const reader = await readerOn(there);
    const ana = await stand.buyer('ana');
    const frozen = await stand.paying(ana, await stand.holding(ana, 1, 2));
    await stand.settle(stand.fate('sold', ana, frozen));
    await stand.holding(ana, 3);
    await stand.drain(reader);
    const bytes = await here.connection.client.getBuffer(showKey(stand.show, 'seats'));
    expect(Uint8Array.from(bytes!)).toEqual(reader.statuses);
    expect([...reader.statuses.subarray(0, 5)]).toEqual([AVAILABLE, SOLD, SOLD, HELD, AVAILABLE]);
  });

  it('[P3] [P7] a pile of holds that ran out together: each counts as gone before its turn to be swept', async () => {
    const count = 1_200;
    const big = await SeatStand.open(here, { seatCount: count });
    const buyers = await Promise.all(Array.from({ length: count }, (_, index) => big.buyer(`b${index}`)));
    const requests = buyers.map((buyer, seat) => big.ask(buyer, seat));
    for (const outcome of await here.store.take(big.rules, requests)) accepted(outcome);
    big.pass(HOLD_LIFETIME_MS);
    const last = buyers.length - 1;
    const next = await big.holding(buyers[0]!, last);
    expect(next.seats).toEqual([last]);
    expect((await big.holding(buyers[last]!, last - 1)).seats).toEqual([last - 1]);
    expect(await big.holdOf(buyers[last - 2]!)).toBeNull();
    const left = await here.connection.client.zcard(showKey(big.show, 'hold-deadlines'));
    expect(left).toBeGreaterThan(100);
    expect(await big.expire()).toBe(left - 2);
    const picture = `${'.'.repeat(last - 1)}hh`;
    expect(await big.picture()).toBe(picture);
  });

  it('[P1] a buyer who was counted wrongly is counted anew, unless somebody did meanwhile', async () => {
    const ana = await stand.buyer('ana');
    const mend = (counted: number, right: number): Promise<void> =>
      here.store.mend(stand.rules, {
        sold: [],
        unsold: [],
        counts: [{ session: ana, here: counted, right }],
      });
    await here.connection.client.hset(showKey(stand.show, 'bought'), ana, 4);
    await mend(3, 1);
    expectRefused(await stand.hold(ana, 0), 'limit-exceeded');
    await mend(4, 1);
    await stand.holding(ana, 0, 1, 2);
  });

  it.each([
    ['deleted', (key: string) => here.connection.client.del(key)],
    ['cut', (key: string) => here.connection.client.set(key, '\0\0')],
  ])(
    '[P1] statuses that somebody has %s are no free seats: nobody takes any until they are restored',
    async (_, harm) => {
      const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
      await stand.settle(stand.fate('sold', ana, await stand.paying(ana, await stand.holding(ana, 5))));
      const hold = await stand.holding(ben, 6);
      await harm(showKey(stand.show, 'seats'));
      expectRefused(await stand.hold(ben, 5), 'busy');
      await expect(stand.expire()).rejects.toThrow(HistoryLostError);
      expect(await here.store.isOpen(stand.show)).toBe(false);
      expect(here.lost).toContain(stand.show);
      await here.store.open(stand.rules, { ...NO_FACTS, sold: [{ seat: 5, session: ana }] });
      expectRefused(await stand.hold(ben, 5), 'seat-taken', [5]);
      expect(await stand.holdOf(ben)).toMatchObject({ holdToken: hold.holdToken, seats: [6] });
    },
  );

  it.each(['holds', 'hold-deadlines'] as const)(
    '[P3] %s were lost: the next sweep finds it, and every seat is somebody’s or on sale again',
    async (key) => {
      const ana = await stand.buyer('ana');
      const hold = await stand.holding(ana, 5, 6);
      await here.connection.client.del(showKey(stand.show, key));
      await expect(stand.expire()).rejects.toThrow(HistoryLostError);
      expect(here.lost).toContain(stand.show);
      await here.store.open(stand.rules, NO_FACTS);
      const left = await stand.holdOf(ana);
      expect(left?.holdToken).toBe(key === 'holds' ? undefined : hold.holdToken);
      stand.pass(HOLD_LIFETIME_MS);
      await stand.expire();
      expect(await stand.picture()).toBe('.'.repeat(SEATS));
      await stand.holding(await stand.buyer('ben'), 5, 6);
    },
  );

  it('[P1] kept in the form of a version before: counts as lost, is set up anew, and nothing of it is left', async () => {
    const { client } = here.connection;
    const key = (name: 'meta' | 'buyers' | 'seat-holds'): string => showKey(stand.show, name);
    const ana = await stand.buyer('ana');
    const run = /master_replid:(\w+)/.exec(await client.info('replication'))?.[1] ?? '';
    await client.hset(key('meta'), 'replication', run);
    await client.hset(key('buyers'), ana, 'packed in another way');
    await client.set(key('seat-holds'), 'tokens');
    expectRefused(await stand.hold(ana, 1), 'busy');
    expect(here.lost).toContain(stand.show);
    expect(await here.store.isOpen(stand.show)).toBe(false);
    await here.store.open(stand.rules, { ...NO_FACTS, sold: [{ seat: 1, session: ana }] });
    expect(await client.exists(key('buyers'), key('seat-holds'))).toBe(0);
    expectRefused(await stand.hold(ana, 1), 'seat-taken', [1]);
    expect((await stand.holding(ana, 2)).seats).toEqual([2]);
  });

  it('[P7] leaves nothing behind of holds that are over', async () => {
    const ana = await stand.buyer('ana');
    const ben = await stand.buyer('ben');
    accepted(await stand.release(ana, (await stand.holding(ana, 1)).holdToken));
    await stand.holding(ana, 2, 3);
    const frozen = await stand.paying(ben, await stand.holding(ben, 4));
    await stand.settle(stand.fate('sold', ben, frozen));
    stand.pass(24 * 3_600_000);
    await stand.expire();
    const { client } = here.connection;
    for (const key of ['holds', 'hold-deadlines', 'networks'] as const) {
      expect(await client.exists(showKey(stand.show, key)), key).toBe(0);
    }
  });
});

describe('Redis that loses its data', () => {
  let server: NativeServer;
  let node: RedisNode;
  beforeEach(async () => {
    server = await startRedis();
    node = redisNode(await connectTo(server.url));
    return async () => {
      await node.close();
      await server.remove();
    };
  });

  it('[P1] emptied: holds stop with busy, nothing is settled in vain, and opening again starts a new epoch', async () => {
    const stand = await SeatStand.open(node, { seatCount: 8 });
    const reader = await stand.reader();
    const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
    const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
    const hold = await stand.holding(ben, 2);
    await stand.drain(reader);
    const before = reader.epoch;

    await node.connection.client.flushall();
    expect(await stand.hold(ana, 3)).toMatchObject({ ok: false, code: 'busy', retryAfterMs: 1_000 });
    expectRefused(await stand.extend(ben, hold.holdToken), 'busy');
    expectRefused(await stand.release(ben, hold.holdToken), 'busy');
    expectRefused(await stand.checkout(ben, hold), 'busy');
    await expect(stand.settle(stand.fate('sold', ana, frozen))).rejects.toThrow(HistoryLostError);
    await expect(stand.expire()).rejects.toThrow(HistoryLostError);
    const abandoned = { kind: 'abandon', session: ana, orderId: frozen.orderId } as const;
    expectRefused((await stand.store.take(stand.rules, [abandoned]))[0], 'busy');
    expect(new Set(node.lost)).toEqual(new Set([stand.show]));

    stand.pass(10_000);
    const facts = { ...NO_FACTS, sold: frozen.seats.map((seat) => ({ seat, session: ana })) };
    await node.store.open(stand.rules, facts);
    await expect.poll(() => reader.epoch).toBeGreaterThan(before);
    expect(await stand.picture()).toBe('SS......');
    const next = await stand.holding(await stand.buyer('cleo'), 2);
    expect(next.holdToken).toBeGreaterThan(hold.holdToken);
    await stand.drain(reader);
    expect(reader.statuses.slice(0, 4)).toEqual(Uint8Array.of(SOLD, SOLD, HELD, AVAILABLE));
  });

  it('[P5] emptied and set up anew, whatever number chance gives: another epoch, heard at once', async () => {
    for (const random of [1, 65_536, 2 ** 31 - 1]) {
      const unlucky = redisNode(await connectTo(server.url), { epochs: () => random });
      const stand = await SeatStand.open(unlucky, { seatCount: 8 });
      const reader = await stand.reader();
      await stand.holding(await stand.buyer('ana'), 0, 1);
      await stand.drain(reader);
      const before = reader.epoch;
      await node.connection.client.flushall();
      await stand.reopen({ ...NO_FACTS, sold: [{ seat: 7, session: stand.stranger('ben') }] });
      await stand.drain(reader);
      expect(reader.epoch).toBeGreaterThan(before);
      expect([...reader.statuses.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 2]);
      await unlucky.close();
    }
  });

  it('[P5] a base that Redis gives is taken, though its epoch is one that was followed before', async () => {
    const stand = await SeatStand.open(node, { seatCount: 8 });
    const reader = await stand.reader();
    await stand.holding(await stand.buyer('ana'), 0, 1);
    await stand.holding(await stand.buyer('ben'), 2);
    await stand.drain(reader);
    await node.connection.client.flushall();
    const seats = new Uint8Array(stand.rules.seatCount).fill(SOLD, 7, 8);
    await beginHistory(node.connection.client, stand.show, seats, stand.rules.sectionOf, reader.epoch);
    expect(await stand.picture()).toBe('.......S');
    // Its numbers are those of before: nobody is woken, and the next comparison finds out.
    await expect.poll(() => reader.bases.length, { timeout: 10_000 }).toBe(2);
    expect([...reader.statuses.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 2]);
  });

  it('[P5] a stream that lost entries is not trusted: everybody starts a new epoch from the seats', async () => {
    const stand = await SeatStand.open(node, { seatCount: 8 });
    const reader = await stand.reader();
    const ana = await stand.buyer('ana');
    await stand.holding(ana, 0, 1);
    await stand.drain(reader);
    await withNode(server.url, (redis) => redis.xtrim(feedOf(stand.show), 'MAXLEN', 0));
    const other = redisNode(await connectTo(server.url));
    const late = new FeedReader(stand.rules.sectionOf);
    await other.feed.follow(stand.show, late);
    expect(late.epoch).toBeGreaterThan(reader.bases[0]!.epoch);
    expect(late.statuses.slice(0, 3)).toEqual(Uint8Array.of(HELD, HELD, AVAILABLE));
    expect(late.sequences).toEqual([0, 0, 0]);
    await expect.poll(() => reader.epoch).toBe(late.epoch);
    await other.close();
  });

  it('[P2] what was told just before a history was given up is told again in the next', async () => {
    const stand = await SeatStand.open(node, { seatCount: 8 });
    const reader = await stand.reader();
    const ana = await stand.buyer('ana');
    const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
    await stand.drain(reader);
    await withNode(server.url, (redis) => redis.hdel(showKey(stand.show, 'checkpoint'), 'number'));
    const fate = stand.fate('sold', ana, frozen);
    await stand.settle(fate);
    const late = redisNode(await connectTo(server.url));
    const lateReader = new FeedReader(stand.rules.sectionOf);
    await late.feed.follow(stand.show, lateReader);
    expect(lateReader.epoch).not.toBe(reader.bases[0]!.epoch);
    await expect.poll(() => reader.epoch).toBe(lateReader.epoch);
    await stand.drain(reader);
    expect(reader.bases).toHaveLength(2);
    expect(reader.noticesTo(ana)).toContainEqual({ kind: 'order', session: ana, order: fate.order });
    expect(reader.sequences[0]).toBe(0);
    expect(await stand.picture()).toBe('SS......');
    await late.close();
  });

  it('rejects to follow a show that nobody opened', async () => {
    const stranger = showId(4_000_000);
    await expect(node.feed.follow(stranger, new FeedReader(new Uint16Array(1)))).rejects.toThrow('4000000');
  });
});

function feedOf(show: ShowId): string {
  return showKey(show, 'feed');
}

import { beforeEach, describe, expect, it } from 'vitest';
import { HistoryLostError } from '../../src/seating/redis-seat-store.ts';
import type { SeatFacts } from '../../src/seating/seat-store.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { keepFile } from './redis/kept-file.ts';
import { connectTo, withNode } from './redis/redis-stand.ts';
import { type RedisNode, redisNode } from './redis/seat-stand.ts';
import type { FeedReader } from './seating/feed-reader.ts';
import { pendingOf } from './seating/pending-checkout.ts';
import {
  accepted,
  expectRefused,
  HOLD_LIFETIME_MS,
  NO_FACTS,
  SeatStand,
  ANY_REVISION,
} from './seating/seat-stand.ts';

const RESTART = { timeout: 20_000 };

let server: NativeServer;
let node: RedisNode;
let stand: SeatStand;
let reader: FeedReader;

beforeEach(async () => {
  server = await startRedis();
  node = redisNode(await connectTo(server.url));
  stand = await SeatStand.open(node, { seatCount: 8 });
  reader = await stand.reader();
  return async () => {
    await node.close();
    await server.remove();
  };
});

/** Answers once Redis is back. */
async function isOpenAgain(): Promise<boolean> {
  await expect.poll(() => node.connection.client.ping().catch(() => ''), RESTART).toBe('PONG');
  return node.store.isOpen(stand.show);
}

/** Sets the show up from what database and log know, and waits until everybody shows that. */
async function reopen(facts: SeatFacts): Promise<void> {
  const before = reader.epoch;
  await stand.reopen(facts);
  await expect.poll(() => reader.epoch, RESTART).not.toBe(before);
}

describe('Redis that comes back with an older file', () => {
  it('[P1] [P3] sells nothing until database and log were merged: what was sold since stays sold', async () => {
    const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
    const frozen = await stand.paying(ana, await stand.holding(ana, 0, 1));
    const putBack = await keepFile(server);
    await stand.settle(stand.fate('sold', ana, frozen));
    const { holdToken } = await stand.holding(ben, 2);
    await putBack();

    expect(await isOpenAgain()).toBe(false);
    expectRefused(await stand.hold(ben, 0), 'busy');
    expectRefused(await stand.extend(ana, frozen.holdToken), 'busy');
    await expect(stand.expire()).rejects.toThrow(HistoryLostError);
    await expect(stand.settle(stand.fate('sold', ana, frozen))).rejects.toThrow(HistoryLostError);
    expect(new Set(node.lost)).toEqual(new Set([stand.show]));

    await reopen({ ...NO_FACTS, sold: [0, 1].map((seat) => ({ seat, session: ana })) });
    expect(await stand.picture()).toBe('SS......');
    expect(await node.store.boughtSeats(stand.show)).toEqual(new Map([[ana, 2]]));
    expect(await stand.holdOf(ana)).toBeNull();
    const next = await stand.holding(ben, 3);
    expect(next.holdToken).toBeGreaterThan(holdToken);
    await stand.settle(stand.fate('sold', ana, frozen));
    expect(await node.store.boughtSeats(stand.show)).toEqual(new Map([[ana, 2]]));
    await stand.drain(reader);
    expect([...reader.statuses.subarray(0, 4)]).toEqual([2, 2, 0, 1]);
  });

  it('[P2] a payment that the log has is being paid for, whoever the file says holds its seats', async () => {
    const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
    const old = await stand.holding(ana, 0, 1);
    const putBack = await keepFile(server);
    accepted(await stand.release(ana, old.holdToken, 1));
    const frozen = await stand.paying(ben, await stand.holding(ben, 1, 2));
    await putBack();

    expect(await isOpenAgain()).toBe(false);
    await reopen({ ...NO_FACTS, checkouts: [pendingOf(ben, frozen, stand.now)] });
    expect(await stand.holdOf(ben)).toMatchObject({ seats: [1, 2], orderId: frozen.orderId });
    expect((await stand.holdOf(ana))?.seats).toEqual([0]);
    await stand.settle(stand.fate('sold', ben, frozen));
    expect(await stand.picture()).toBe('hSS.....');
    stand.pass(HOLD_LIFETIME_MS);
    await stand.expire();
    expect(await stand.picture()).toBe('.SS.....');
  });

  it('[P1] a limit that the file has forgotten holds', async () => {
    const ana = await stand.buyer('ana');
    const putBack = await keepFile(server);
    await stand.settle(stand.fate('sold', ana, await stand.paying(ana, await stand.holding(ana, 0, 1, 2))));
    await putBack();
    await isOpenAgain();
    await reopen({ ...NO_FACTS, sold: [0, 1, 2].map((seat) => ({ seat, session: ana })) });
    expectRefused(await stand.hold(ana, 3, 4), 'limit-exceeded');
  });

  it('[P4] nothing was lost: holds and payments under way are what they were', async () => {
    const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
    const hold = await stand.holding(ana, 0, 1);
    const extended = accepted(await stand.extend(ana, hold.holdToken));
    const frozen = await stand.paying(ben, await stand.holding(ben, 4));
    await server.kill();
    await server.start();

    expect(await isOpenAgain()).toBe(false);
    await reopen({ ...NO_FACTS, checkouts: [pendingOf(ben, frozen, stand.now)] });
    expect(await stand.holdOf(ana)).toEqual({ ...extended, revision: ANY_REVISION });
    expect(await stand.holdOf(ben)).toEqual({ ...frozen, isAccepted: true, revision: ANY_REVISION });
    expect((await stand.holding(await stand.buyer('cleo'), 5)).holdToken).toBeGreaterThan(
      frozen.holdToken + 1_000,
    );
    await stand.drain(reader);
    expect([...reader.statuses.subarray(0, 6)]).toEqual([1, 1, 0, 0, 1, 1]);
  });

  it('6.3 set back, and then emptied: tokens above any that was handed out', async () => {
    const [ana, ben] = [await stand.buyer('ana'), await stand.buyer('ben')];
    const putBack = await keepFile(server);
    await putBack();
    await isOpenAgain();
    await reopen(NO_FACTS);
    const { holdToken } = await stand.holding(ana, 0);
    stand.pass(60_000);
    await node.connection.client.flushall();
    await reopen(NO_FACTS);
    await stand.buyer('ben');
    expect((await stand.holding(ben, 0)).holdToken).toBeGreaterThan(holdToken);
  });

  it('[P5] twice the same older file: each time another epoch', async () => {
    const putBack = await keepFile(server);
    const epochs = [reader.epoch];
    for (const _ of [1, 2, 3]) {
      await putBack();
      await isOpenAgain();
      await reopen(NO_FACTS);
      epochs.push(reader.epoch);
    }
    expect(new Set(epochs).size).toBe(epochs.length);
  });
});

describe('a replica of Redis that takes over', () => {
  let replica: NativeServer;
  beforeEach(async () => {
    replica = await startRedis();
    return () => replica.remove();
  });

  async function follow(follower: NativeServer, followed: NativeServer): Promise<void> {
    const { port, password } = new URL(followed.url);
    await withNode(followed.url, (redis) => redis.config('SET', 'repl-diskless-sync-delay', 0));
    await withNode(follower.url, async (redis) => {
      await redis.config('SET', 'masterauth', password);
      await redis.replicaof('127.0.0.1', port);
      await expect.poll(() => redis.info('replication'), RESTART).toContain('master_link_status:up');
    });
  }

  it('[P1] is not trusted with what it may have missed', async () => {
    const ana = await stand.buyer('ana');
    await follow(replica, server);
    // A server that gets its first replica says that it is another one.
    await reopen(NO_FACTS);
    await withNode(server.url, (redis) => redis.wait(1, 10_000));
    await withNode(replica.url, (redis) => redis.replicaof('127.0.0.1', 1));
    await stand.settle(stand.fate('sold', ana, await stand.paying(ana, await stand.holding(ana, 0))));
    await withNode(replica.url, (redis) => redis.replicaof('NO', 'ONE'));

    const other = redisNode(await connectTo(replica.url));
    expect(await other.store.isOpen(stand.show)).toBe(false);
    const [refused] = await other.store.take(stand.rules, [stand.ask(ana, 0)]);
    expectRefused(refused, 'busy');
    await other.close();
  });

  it('[P1] nor is a server that was a replica in between, though it ran all the time', async () => {
    const ana = await stand.buyer('ana');
    await follow(replica, server);
    await reopen(NO_FACTS);
    await withNode(replica.url, (redis) => redis.replicaof('NO', 'ONE'));
    await stand.settle(stand.fate('sold', ana, await stand.paying(ana, await stand.holding(ana, 0))));
    await follow(server, replica);
    await withNode(server.url, (redis) => redis.replicaof('NO', 'ONE'));

    expect(await stand.picture().catch(() => 'no feed')).toBe('no feed');
    expectRefused(await stand.hold(ana, 0), 'busy');
    await reopen({ ...NO_FACTS, sold: [{ seat: 0, session: ana }] });
    expect(await stand.picture()).toBe('S.......');
  });
});

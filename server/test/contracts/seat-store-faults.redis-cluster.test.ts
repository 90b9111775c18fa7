import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { showKey } from '../../src/platform/redis-keys.ts';
import { keepFile } from './redis/kept-file.ts';
import { connectTo, type ClusterServers, startCluster, withNode } from './redis/redis-stand.ts';
import { type RedisNode, redisNode } from './redis/seat-stand.ts';
import { expectRefused, NO_FACTS, SeatStand } from './seating/seat-stand.ts';

describe('seats in Redis Cluster', () => {
  let cluster: ClusterServers;
  let node: RedisNode;
  beforeAll(async () => {
    cluster = await startCluster();
    node = redisNode(await connectTo(cluster.urls));
  });
  afterAll(async () => {
    await node.close();
    await cluster.remove();
  });

  it('shards by show: all of one show is on one node, and shows are on every node', async () => {
    for (let count = 0; count < 12; count++) {
      const stand = await SeatStand.open(node, { seatCount: 4 });
      await stand.holding(await stand.buyer('ana'), 0);
    }
    const shows = await Promise.all(
      cluster.nodes.map(async ({ url }) => {
        const keys = await withNode(url, (redis) => redis.keys('*'));
        return new Set(keys.map((key) => /^\{show:\d+\}/.exec(key)?.[0]));
      }),
    );
    for (const some of shows) expect(some.size).toBeGreaterThan(0);
    expect(shows.reduce((sum, some) => sum + some.size, 0)).toBe(12);
  });

  it('[P1] [P5] one node dies and comes back with an older file: its shows wait to be merged, the others never stop', async () => {
    const stands = await Promise.all(
      Array.from({ length: 12 }, () => SeatStand.open(node, { seatCount: 8 })),
    );
    const gone = cluster.nodes[1]!;
    const isOnGone = await Promise.all(
      stands.map(({ show }) =>
        withNode(gone.url, (redis) =>
          redis.exists(showKey(show, 'meta')).then(
            (count) => count > 0,
            () => false,
          ),
        ),
      ),
    );
    const hit = stands.find((_, index) => isOnGone[index])!;
    const spared = stands.find((_, index) => !isOnGone[index])!;
    const reader = await hit.reader();
    const ana = await hit.buyer('ana');
    const hold = await hit.holding(ana, 0);
    await hit.drain(reader);
    const before = reader.epoch;
    const ben = await spared.buyer('ben');

    const putBack = await keepFile(gone);
    const cleo = await hit.buyer('cleo');
    await hit.settle(hit.fate('sold', cleo, await hit.paying(cleo, await hit.holding(cleo, 5))));
    await gone.kill();
    await expect(hit.hold(ana, 1)).rejects.toThrow('take-steps');
    expect((await spared.holding(ben, 3)).seats).toEqual([3]);

    await putBack();
    await expect.poll(() => hit.holdOf(ana).catch(() => null), { timeout: 30_000 }).toEqual(hold);
    expectRefused(await hit.hold(ana, 5), 'busy');
    await hit.reopen({ ...NO_FACTS, sold: [{ seat: 5, session: cleo }] });
    await expect.poll(() => reader.epoch, { timeout: 30_000 }).toBeGreaterThan(before);
    expect((await hit.holding(ana, 1)).seats).toEqual([0, 1]);
    await hit.drain(reader);
    expect([...reader.statuses.subarray(0, 6)]).toEqual([1, 1, 0, 0, 0, 2]);
  });
});

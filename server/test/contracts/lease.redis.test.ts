import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisLeases } from '../../src/platform/redis-lease.ts';
import type { RedisConnection } from '../../src/platform/redis.ts';
import { sharedServer } from '../shared-servers.ts';
import { connectTo } from './redis/redis-stand.ts';

let connection: RedisConnection;
beforeAll(async () => {
  connection = await connectTo((await sharedServer('redis')).url);
});
afterAll(() => connection.close());

it('a lease is one process’s until it ends, however often others ask', async () => {
  const [one, other] = ['one', 'other'].map((owner) => redisLeases(connection.client, owner));
  const job = `job-${process.pid}`;
  expect(await one!(job, 60_000)).toBe(true);
  expect(await other!(job, 60_000)).toBe(false);
  expect(await one!(job, 60_000)).toBe(true);
  expect(await other!(`${job}-2`, 60_000)).toBe(true);
  await connection.client.pexpire(`{lease:${job}}`, 0);
  expect(await other!(job, 60_000)).toBe(true);
  expect(await one!(job, 60_000)).toBe(false);
});

it('a lease ends by itself', async () => {
  const keep = redisLeases(connection.client, 'one');
  await keep(`short-${process.pid}`, 60_000);
  expect(await connection.client.pttl(`{lease:short-${process.pid}}`)).toBeGreaterThan(0);
});

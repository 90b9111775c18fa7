import { createServer, type Server } from 'node:net';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/platform/config-error.ts';
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts';
import { startProxy } from './redis/breakable-proxy.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo, startCluster, withNode } from './redis/redis-stand.ts';

/** Something that answers every command with the same bytes: no Redis that we could start is that old. */
function serverThatSays(reply: string): Promise<Server> {
  const server = createServer((socket) => void socket.on('data', () => socket.write(reply)));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

describe('connecting to Redis', () => {
  let server: NativeServer;
  beforeAll(async () => {
    server = await startRedis();
    await withNode(server.url, (redis) => redis.acl('SETUSER', 'ann', 'on', '>right:@/', '~*', '+@all'));
  });
  afterAll(() => server.remove());

  const place = (node: NativeServer) => `127.0.0.1:${String(node.ports[0])}`;
  const withPassword = (password: string, path = '') =>
    `redis://ann:${encodeURIComponent(password)}@${place(server)}${path}`;

  async function problemOf(url: string): Promise<string> {
    const error: unknown = await connectTo(url).then(
      (connection) => connection.close(),
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }

  it('takes user, password and database from the URL', async () => {
    const connection = await connectTo(withPassword('right:@/', '/3'));
    await connection.client.set('here', '1');
    expect(await connection.client.info('keyspace')).toContain('db3:');
    expect(connection.isCluster).toBe(false);
    connection.close();
  });

  it.each(['allkeys-lru', 'volatile-ttl'])(
    '[P1] says at once that a Redis that evicts (%s) can not be used',
    async (policy) => {
      const evicting = await startRedis();
      await withNode(evicting.url, (redis) => redis.config('SET', 'maxmemory-policy', policy));
      const message = await problemOf(evicting.url);
      expect(message).toContain('REDIS_URL');
      expect(message).toContain(`maxmemory-policy ${policy}`);
      expect(message).toContain('noeviction');
      await evicting.remove();
    },
  );

  it.each([
    ['no password', () => `redis://${place(server)}`, 'password'],
    ['a wrong password', () => withPassword('wrong'), 'password'],
    ['a database that is not there', () => withPassword('right:@/', '/99'), 'database'],
  ])('says at once that REDIS_URL has %s', async (_, url, word) => {
    const message = await problemOf(url());
    expect(message).toContain('REDIS_URL');
    expect(message).toContain(place(server));
    expect(message).toContain(word);
    expect(message).not.toMatch(/wrong@|right/);
  });

  it('says that a Redis before 6.2 is too old', async () => {
    const old = await serverThatSays(bulk('redis_version:6.0.16\r\n'));
    const address = old.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const message = await problemOf(`redis://127.0.0.1:${port}`);
    expect(message).toContain('Redis 6.0');
    expect(message).toContain('Redis 6.2 or newer');
    old.close();
  });

  it('waits for a Redis that is not there yet, and says so without a password', async () => {
    const late = await startRedis();
    await late.kill();
    const troubles: string[] = [];
    const { promise: complained, resolve } = Promise.withResolvers<undefined>();
    const connecting = connectTo(late.url, (message) => {
      troubles.push(message);
      resolve(undefined);
    });
    await complained;
    await late.start();
    const connection = await connecting;
    expect(await connection.client.ping()).toBe('PONG');
    expect(troubles[0]).toMatch(/REDIS_URL: redis:\/\/127\.0\.0\.1:\d+ can't be reached .*ECONNREFUSED/);
    expect(troubles.join(' ')).not.toContain(new URL(late.url).password);
    connection.close();
    await late.remove();
  });

  it('gives up waiting when it is told to', async () => {
    const gone = await startRedis();
    const { url } = gone;
    await gone.remove();
    const stop = new AbortController();
    const connecting = connectRedis(url, {
      clock: systemClock,
      random: systemRandom,
      onTrouble: () => stop.abort(new Error('the server is stopping')),
      signal: stop.signal,
    });
    await expect(connecting).rejects.toThrow('the server is stopping');
  });

  it('[P1] says so of any one node of a cluster', async () => {
    const cluster = await startCluster();
    await withNode(cluster.nodes[2]!.url, (redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lfu'));
    const message = await problemOf(cluster.nodes[0]!.url);
    expect(message).toContain(place(cluster.nodes[2]!));
    expect(message).toContain('maxmemory-policy allkeys-lfu');
    await cluster.remove();
  });

  it('tells a cluster by itself, also from one of its nodes', async () => {
    const cluster = await startCluster();
    const all: RedisConnection[] = [];
    for (const urls of [cluster.urls, cluster.urls.split(',')[1]!]) {
      const connection = await connectTo(urls);
      all.push(connection);
      expect(connection.isCluster).toBe(true);
      await connection.client.set('{a}', 'x');
      await connection.client.set('{b}', 'x');
      await connection.client.set('{c}', 'x');
    }
    const message = await problemOf(`${cluster.urls.split(',')[0]!}/1`);
    expect(message).toContain('no database number');
    for (const connection of all) connection.close();
    await cluster.remove();
  });
});

describe('a connection that breaks', () => {
  let server: NativeServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  const count = () => withNode(server.url, (redis) => redis.get('count'));

  it('[P1] sends nothing again that the server may have done', async () => {
    const proxy = await startProxy(server.url);
    const { client, close } = await connectTo(proxy.url);
    proxy.cutAfterNextRequest();
    await expect(client.incr('count')).rejects.toThrow();
    await expect.poll(count).toBe('1');
    await expect.poll(() => client.ping().catch(() => 'away'), { timeout: 10_000 }).toBe('PONG');
    expect(await count()).toBe('1');
    close();
    proxy.close();
  });

  it('[P1] refuses at once while Redis is away, keeps nothing for later, and comes back by itself', async () => {
    const { client, close } = await connectTo(server.url);
    await server.kill();
    const refusals = await Promise.allSettled([1, 2, 3].map((value) => client.set('late', value)));
    expect(refusals.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await server.start();
    await expect.poll(() => client.ping().catch(() => 'away'), { timeout: 10_000 }).toBe('PONG');
    expect(await client.get('late')).toBeNull();
    close();
  });
});

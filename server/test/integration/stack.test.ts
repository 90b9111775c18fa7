import { Cluster, Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { createConnection } from 'mysql2/promise';
import { expect, it } from 'vitest';
import { freshSharedDatabase, sharedServer } from '../shared-servers.ts';

it('Redis answers, and only with its password', async () => {
  const { url, product } = await sharedServer('redis');
  expect(product).toMatch(/^Redis \d/);
  const redis = new Redis(url);
  expect(await redis.ping()).toBe('PONG');
  expect(await redis.config('GET', 'appendfsync')).toContain('everysec');
  redis.disconnect();

  const open = new URL(url);
  open.password = '';
  const stranger = new Redis(open.href, { retryStrategy: () => null });
  stranger.on('error', () => undefined);
  await expect(stranger.ping()).rejects.toThrow('NOAUTH');
  stranger.disconnect();
});

it('a Redis Cluster of three nodes serves every slot', async () => {
  const { urls } = await sharedServer('redis-cluster');
  expect(urls).toHaveLength(3);
  const cluster = new Cluster([...urls]);
  const shows = Array.from({ length: 30 }, (_, index) => `{show:${index}}:seats`);
  for (const key of shows) await cluster.set(key, key);
  for (const key of shows) expect(await cluster.get(key)).toBe(key);
  const counts = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()));
  expect(counts.every((count) => count > 0)).toBe(true);
  cluster.disconnect();
});

it.each(['database', 'mariadb'] as const)('the %s stores text of any language for good', async (name) => {
  const fresh = await freshSharedDatabase(name);
  expect(fresh.product).toMatch(name === 'mariadb' ? /^MariaDB \d/ : /^(MySQL|MariaDB) \d/);
  const connection = await createConnection(fresh.url);
  await connection.query('CREATE TABLE words (word VARCHAR(40))');
  await connection.execute('INSERT INTO words VALUES (?)', ['좌석 🎫']);
  expect((await connection.query('SELECT word FROM words'))[0]).toEqual([{ word: '좌석 🎫' }]);
  const [durable] = await connection.query('SELECT @@innodb_flush_log_at_trx_commit AS durable');
  expect(durable).toEqual([{ durable: 1 }]);
  await connection.end();
  await fresh.drop();
});

it('Kafka keeps what it is given and hands it out', async () => {
  const { url, product } = await sharedServer('kafka');
  expect(product).toMatch(/^Kafka \d/);
  const kafka = new Kafka({ brokers: [url], logLevel: logLevel.NOTHING });
  const topic = 'stack-test';
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ key: 'order', value: 'request' }] });
  const consumer = kafka.consumer({ groupId: 'stack-test' });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const received = Promise.withResolvers<string | undefined>();
  await consumer.run({ eachMessage: async ({ message }) => received.resolve(message.value?.toString()) });
  expect(await received.promise).toBe('request');
  await consumer.disconnect();
  await producer.disconnect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
});

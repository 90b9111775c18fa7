import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisCatalogText } from '../../src/catalog/redis-catalog-text.ts';
import type { RedisConnection } from '../../src/platform/redis.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';

let server: NativeServer;
let connection: RedisConnection;
beforeAll(async () => {
  server = await startRedis();
  connection = await connectTo(server.url);
});
afterAll(async () => {
  connection.close();
  await server.remove();
});

test('the shared catalogue is there for who asks for its version, until there is another or none', async () => {
  const text = new RedisCatalogText(connection.client);
  expect(await text.read(1)).toBeNull();
  await text.write(1, 'Łódź \0 🎭');
  expect(await text.read(1)).toBe('Łódź \0 🎭');
  expect(await text.read(2)).toBeNull();
  await text.write(2, 'edited');
  expect(await text.read(1)).toBeNull();
  await text.forget();
  expect(await text.read(2)).toBeNull();
});

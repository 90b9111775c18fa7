import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runServer } from '../app-stand-process.ts';
import { type Ended, type Settings } from '../../../tools/tasks/server-process.ts';
import { freshSharedParts, type SharedParts } from './shared-parts.ts';

const REDIS_INFO = 'redis_version:6.0.16\r\n';
/** A server's version, and an older one of the same length. */
const AGED: readonly (readonly [RegExp, string])[] = [
  [/\b10\.11\./g, '10.01.'],
  [/\b(8|9)\.(?=\d)/g, '5.'],
];

let folder: string;
let parts: SharedParts;
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stampede-stack-settings-'));
  parts = await freshSharedParts();
});
afterAll(async () => {
  for (const server of servers) server.close();
  await parts.drop();
  await rm(folder, { recursive: true, force: true });
});

async function listen(take: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    take(socket);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A socket's server has an address and a port, unlike a pipe's.
  return String((server.address() as AddressInfo).port);
}

/** Answers every command with its version: no Redis that we could start is that old. */
function oldRedis(): Promise<string> {
  const answer = `$${REDIS_INFO.length}\r\n${REDIS_INFO}\r\n`;
  return listen((socket) => void socket.on('data', () => socket.write(answer)));
}

/** The real database, which says that it is an older one. */
function oldDatabase(url: URL): Promise<string> {
  return listen((client) => {
    const server = connect(Number(url.port), url.hostname);
    server.on('error', () => client.destroy());
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    client.pipe(server);
    server.on('data', (bytes) => {
      const told = AGED.reduce((text, [now, then]) => text.replaceAll(now, then), bytes.toString('latin1'));
      client.write(Buffer.from(told, 'latin1'));
    });
  });
}

let nodes = 0;

/** Starts a node on the real stack with something wrong about it. */
function start(wrong: Settings): Promise<Ended> {
  return runServer({
    DATA_DIR: join(folder, String((nodes += 1))),
    ROLES: 'gateway,worker,scheduler',
    REDIS_URL: parts.redisUrl,
    DATABASE_URL: parts.databaseUrl,
    KAFKA_BROKERS: parts.kafkaBrokers,
    KAFKA_TOPIC_PREFIX: 'settings.',
    PAYMENT_SECRET: 'a secret of no payment and for tests only',
    ...wrong,
  });
}

function changed(url: string, change: (url: URL) => void): string {
  const changing = new URL(url);
  change(changing);
  return changing.href;
}

describe.concurrent('a node whose stack can’t be used says why in one line and ends with code 2', () => {
  test.each<[string, RegExp, () => Settings | Promise<Settings>]>([
    ['REDIS_URL', /starts with http:/, () => ({ REDIS_URL: 'http://localhost:6379' })],
    [
      'REDIS_URL',
      /password/,
      () => ({ REDIS_URL: changed(parts.redisUrl, (url) => (url.password = 'wrong-secret')) }),
    ],
    [
      'REDIS_URL',
      /is Redis 6\.0; allowed: Redis 6\.2 or newer/,
      async () => ({ REDIS_URL: `redis://127.0.0.1:${await oldRedis()}` }),
    ],
    ['DATABASE_URL', /no URL/, () => ({ DATABASE_URL: 'our database' })],
    [
      'DATABASE_URL',
      /password/,
      () => ({
        DATABASE_URL: changed(parts.databaseUrl, (url) => {
          url.username = 'stampede';
          url.password = 'wrong-secret';
        }),
      }),
    ],
    [
      'DATABASE_URL',
      /missing.*a database that exists/,
      () => ({ DATABASE_URL: changed(parts.databaseUrl, (url) => (url.pathname = '/missing')) }),
    ],
    [
      'DATABASE_URL',
      /is version (5\.|10\.01).*allowed: MySQL 8\.0 or MariaDB 10\.6/,
      async () => {
        const port = await oldDatabase(new URL(parts.databaseUrl));
        return { DATABASE_URL: changed(parts.databaseUrl, (url) => (url.port = port)) };
      },
    ],
    ['KAFKA_BROKERS', /host:port/, () => ({ KAFKA_BROKERS: 'http://kafka:9092' })],
    [
      'KAFKA_USERNAME',
      /asks for no user/,
      () => ({ KAFKA_USERNAME: 'stampede', KAFKA_PASSWORD: 'wrong-secret', KAFKA_MECHANISM: 'plain' }),
    ],
    ['KAFKA_TOPIC_PREFIX', /letters, digits, dots/, () => ({ KAFKA_TOPIC_PREFIX: 'our topics/' })],
  ])('%s: %s', async (name, words, wrong) => {
    const { code, output } = await start(await wrong());
    expect(output).not.toMatch(/^\s+at |node:internal|wrong-secret/m);
    const told = output.split('\n').filter((line) => line.includes(`${name}: `));
    expect(told).toEqual([expect.stringMatching(words)]);
    expect(code).toBe(2);
  });
});

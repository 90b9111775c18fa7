import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeCodes } from '@stampede/shared/protocol/codes.ts';
import type { BearerOpened } from '@stampede/shared/protocol/http.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFilesOf } from './app-stand-process.ts';
import { type Settings, ServerProcess } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';
import { PlainSocket } from './app-stand-socket.ts';

const OPEN_FILES_MAX = 256;
const SOCKETS_PER_ADDRESS = 20;
/** What the server keeps of the files at least. */
const RESERVE = 64;

let folder: string;
let server: ServerProcess;
let port: number;
let attackers: Socket[];

/** A database's journal comes and goes as it likes. */
const openSockets = (): number => openFilesOf(server).filter((file) => file.startsWith('socket:')).length;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stampede-descriptors-'));
  port = await freePort();
  attackers = [];
});
afterEach(async () => {
  for (const attacker of attackers) attacker.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(settings: Settings): Promise<void> {
  const base = { PORT: String(port), HOST: '127.0.0.1', DATA_DIR: folder, DEMO: 'off' };
  server = new ServerProcess({ ...base, ...settings }, { openFilesMax: OPEN_FILES_MAX });
  await server.serving();
}

/** Connections that say nothing. */
async function connect(count: number, from: string): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = createConnection({ host: '127.0.0.1', port, localAddress: from });
      attackers.push(socket);
      // Read, or the end would not be noticed.
      socket.resume();
      socket.on('error', () => undefined);
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    }),
  );
}

/** How many of them the server has closed by the time it has twice answered a socket that it had before. */
async function closedBy(witness: PlainSocket): Promise<number> {
  for (let time = 0; time < 2; time++) await witness.ask({ type: 'orders' });
  return attackers.filter((one) => one.closed || one.readableEnded).length;
}

async function knownSocket(from: string): Promise<PlainSocket> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/sessions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ bearer: true }),
  });
  return PlainSocket.open(port, { bearer: ((await answer.json()) as BearerOpened).bearer, from });
}

test('[P7] at its bound of files a server closes newcomers at once, keeps a reserve, and serves those it has', async () => {
  await start({ SOCKETS_PER_ADDRESS_MAX: '1000' });
  const early = await knownSocket('127.0.0.49');
  await connect(400, '127.0.0.50');
  expect(await closedBy(early)).toBeGreaterThanOrEqual(400 - OPEN_FILES_MAX + RESERVE);
  expect(openFilesOf(server).length).toBeLessThan(OPEN_FILES_MAX - 20);
  for (const attacker of attackers.splice(0)) attacker.destroy();
  await early.ask({ type: 'orders' });
  const late = await PlainSocket.open(port, { from: '127.0.0.53' });
  await Promise.all([early.cut(), late.cut()]);
});

test('[P7] an address has so many connections, sockets or not; another one finds room', async () => {
  await start({ SOCKETS_PER_ADDRESS_MAX: String(SOCKETS_PER_ADDRESS) });
  const early = await knownSocket('127.0.0.49');
  await connect(180, '127.0.0.51');
  expect(await closedBy(early)).toBe(180 - 2 * SOCKETS_PER_ADDRESS - 100);
  const elsewhere = await PlainSocket.open(port, { from: '127.0.0.52' });
  await Promise.all([early.cut(), elsewhere.cut()]);
});

test('[P7] 8 4103 a socket too many is told so and gives its descriptor back, though its client never hangs up', async () => {
  await start({ SOCKETS_PER_ADDRESS_MAX: '1' });
  const one = await PlainSocket.open(port);
  const before = openSockets();
  const stubborn = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true });
  attackers.push(stubborn);
  stubborn.on('error', () => undefined);
  stubborn.write(
    'GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: stampede.v1\r\n\r\n`,
  );
  const said: Buffer[] = [];
  for await (const chunk of stubborn) said.push(chunk as Buffer);
  const code = Buffer.alloc(2);
  code.writeUInt16BE(closeCodes['too-many-sockets']);
  expect(Buffer.concat(said).includes(Buffer.concat([code, Buffer.from('too-many-sockets')]))).toBe(true);
  // The end of the stream is heard before the server closes the descriptor behind it.
  await expect.poll(() => openSockets()).toBe(before);
  await one.cut();
});

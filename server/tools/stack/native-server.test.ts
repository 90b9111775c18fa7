import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isProcessMarked } from './native-process.ts';
import { NativeServer, type ServerPlace, type ServerRecipe } from './native-server.ts';
import { isPortFree, LOOPBACK } from './ports.ts';

const FIRST_PORT = 9_100;
/** Stands for a server: listens on the port it is given, in a folder named on its command line. */
const LISTENER = `
  const [port, mode] = process.argv.slice(1);
  if (mode === 'broken') { console.log('no configuration'); process.exit(3); }
  require('node:net').createServer((socket) => socket.end(String(process.pid))).listen(port, '${LOOPBACK}');
`;

let folder = '';
let servers: NativeServer[] = [];
let strangers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stampede-native-server-'));
  servers = [];
  strangers = [];
});

afterEach(async () => {
  for (const server of servers) await server.remove();
  for (const stranger of strangers) stranger.close();
  rmSync(folder, { recursive: true, force: true });
});

const recipe = (mode: 'sound' | 'broken'): ServerRecipe => ({
  name: 'listener',
  product: 'Listener 1',
  portCount: 1,
  readyWithinMs: 5_000,
  stopWithinMs: 5_000,
  prepare: async ({ ports }) => ({
    command: process.execPath,
    args: ['-e', LISTENER, String(ports[0]), mode, folder],
  }),
  url: ({ ports, password }) => `${password}@${ports[0]}`,
  ping: async ({ ports }: ServerPlace, pid) => {
    const answer = await fetchPid(ports[0] ?? 0);
    if (answer !== pid) throw new Error(`process ${answer} answers`);
  },
});

function newServer(mode: 'sound' | 'broken' = 'sound'): NativeServer {
  const logFile = join(folder, 'log');
  const options = { folder, logFile, lifetime: 'owner', firstPort: FIRST_PORT, password: 'secret' } as const;
  const server = new NativeServer(recipe(mode), options);
  servers.push(server);
  return server;
}

async function fetchPid(port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = connect(port, LOOPBACK);
  socket.once('data', (data) => resolve(Number(data.toString())));
  socket.once('error', reject);
  return promise;
}

async function occupy(port: number): Promise<void> {
  const stranger = createServer((socket) => socket.end('1'));
  strangers.push(stranger);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  stranger.listen(port, LOOPBACK, () => resolve(undefined));
  await promise;
}

it('starts once: whoever comes later finds it running, at the same address', async () => {
  const first = newServer();
  expect(await first.start()).toBe('started');
  const later = newServer();
  expect(await later.start()).toBe('was running');
  expect(later.url).toBe(first.url);
  expect(later.pid).toBe(first.pid);
});

it('is gone when it was stopped, and comes back at the same address', async () => {
  const server = newServer();
  await server.start();
  const { url, pid, ports } = server;
  await server.stop();
  expect(server.pid).toBeUndefined();
  expect(await isPortFree(ports[0]!)).toBe(true);
  expect(await server.start()).toBe('started');
  expect(server.url).toBe(url);
  expect(server.pid).not.toBe(pid);
});

it('comes back after it was killed by someone else', async () => {
  const server = newServer();
  await server.start();
  process.kill(server.pid!, 'SIGKILL');
  expect(await newServer().start()).toBe('started');
});

it('is started anew when it hangs', async () => {
  const server = newServer();
  await server.start();
  const hung = server.pid;
  server.pause();
  const impatient = new NativeServer(
    { ...recipe('sound'), readyWithinMs: 1_500, ping: async (place, pid) => timeLimited(recipe('sound').ping(place, pid)) }, // prettier-ignore
    { folder, logFile: join(folder, 'log'), lifetime: 'owner', firstPort: FIRST_PORT, password: 'secret' },
  );
  servers.push(impatient);
  expect(await impatient.start()).toBe('started');
  expect(impatient.pid).not.toBe(hung);
});

async function timeLimited(work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer')), 500);
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

it('keeps off a port that someone else uses, the first time and later', async () => {
  const server = newServer();
  await server.start();
  const [port] = server.ports;
  await server.stop();
  await occupy(port!);
  await server.start();
  expect(server.ports[0]).not.toBe(port);
});

it('says what went wrong with the end of the log when it ends by itself', async () => {
  await expect(newServer('broken').start()).rejects.toThrow(
    /listener: Listener 1 ended before it answered.*\n.*no configuration/,
  );
});

it('is not taken for another process that got its number', async () => {
  const server = newServer();
  await server.start();
  await server.stop();
  writeFileSync(join(folder, 'pid'), String(process.pid));
  expect(server.pid).toBeUndefined();
  await server.stop();
  expect(isProcessMarked(process.pid, 'a mark that no process has')).toBe(false);
});

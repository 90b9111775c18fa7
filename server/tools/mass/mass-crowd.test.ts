import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { maskedFrame, MassCrowd, type SocketEvents, type SocketTarget } from './mass-crowd.ts';

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function openServer(serve: (socket: WebSocket, bearer: string) => void): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  servers.push(server);
  server.on('connection', (socket, request) => serve(socket, request.headers.authorization ?? ''));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const target = (port: number, more: Partial<SocketTarget> = {}): SocketTarget => ({
  port,
  path: '/',
  subprotocol: 'stampede.v1',
  bearer: null,
  source: null,
  ...more,
});

/** Collects messages as texts `socket: payload` and close codes. */
function collector() {
  const messages: string[] = [];
  const codes: number[] = [];
  const events: SocketEvents = {
    message: (socket, bytes, start, end) =>
      void messages.push(`${socket}: ${bytes.toString('latin1', start, end)}`),
    closed: (_socket, code) => void codes.push(code),
  };
  return { messages, codes, events };
}

describe('the mass client', () => {
  test('is a WebSocket client to a server of another make', async () => {
    const port = await openServer((socket, bearer) => {
      socket.on('message', (data) => socket.send(Buffer.concat([Buffer.from(`${bearer} `), data as Buffer])));
    });
    const { messages, events } = collector();
    const crowd = await MassCrowd.open(20, (socket) => target(port, { bearer: `b${socket}` }), events);
    expect(crowd.size).toBe(20);
    for (let socket = 0; socket < crowd.size; socket++)
      crowd.send(socket, maskedFrame(Buffer.from('x'.repeat(socket * 20))));
    await expect.poll(() => messages.length).toBe(20);
    expect(messages).toContain('0: Bearer b0 ');
    expect(messages).toContain(`19: Bearer b19 ${'x'.repeat(380)}`);
    crowd.close();
  });

  test('answers pings, takes what comes with the handshake, and tells why it was closed', async () => {
    const ponged = Promise.withResolvers<string>();
    const port = await openServer((socket) => {
      socket.send('early');
      socket.on('pong', (data) => {
        ponged.resolve(data.toString());
        socket.close(4_000);
      });
      socket.ping('are you there');
    });
    const { messages, codes, events } = collector();
    await MassCrowd.open(1, () => target(port), events);
    expect(await ponged.promise).toBe('are you there');
    await expect.poll(() => codes).toEqual([4_000]);
    expect(messages).toEqual(['0: early']);
  });

  test.runIf(process.platform === 'linux')('comes from the address it is given', async () => {
    const addresses: string[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    servers.push(server);
    server.on('connection', (_socket, request) => addresses.push(request.socket.remoteAddress ?? ''));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { events } = collector();
    const crowd = await MassCrowd.open(
      2,
      (socket) => target(port, { source: `127.9.0.${socket + 1}` }),
      events,
    );
    expect(addresses.toSorted()).toEqual(['127.9.0.1', '127.9.0.2']);
    crowd.close();
  });

  test('tells what keeps it from opening', async () => {
    const { events } = collector();
    const port = await openServer((socket) => socket.close());
    await expect(MassCrowd.open(1, () => target(1), events)).rejects.toThrow('ECONNREFUSED');
    const server = servers[0]!;
    server.shouldHandle = () => false;
    await expect(MassCrowd.open(3, () => target(port), events)).rejects.toThrow('400');
  });
});

/** A process that serves seat changes with one of the peers, as its documentation shows. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { serveCalls } from '../rigs/child-calls.ts';
import { openColyseus } from './colyseus-peer.ts';
import { loadPeer } from './peer-packages.ts';
import type { Peer, SeatWord } from './peer.ts';

const SEATS = 1_000;
const STRIDE = 7_919;

/** How a change is told: each as it comes, in the way the documentation shows first; or all of a tick together. */
export type Telling = 'idiomatic' | 'batched';
export type PeerName = 'ws' | 'socket.io' | 'colyseus';

/** What is used of each library. */
interface WsModule {
  readonly WebSocketServer: new (options: object) => {
    readonly clients: ReadonlySet<{ readonly readyState: number; send(data: string): void }>;
  };
}
interface SocketIoModule {
  readonly Server: new (
    server: HttpServer,
    options: object,
  ) => {
    emit(name: string, data: unknown): void;
  };
}

const OPEN = 1;

function openWs(): Peer {
  const { WebSocketServer } = loadPeer('ws') as WsModule;
  const server = createServer();
  const { clients } = new WebSocketServer({ server, perMessageDeflate: false });
  const broadcast = (data: string): void => {
    for (const client of clients) if (client.readyState === OPEN) client.send(data);
  };
  return {
    listen: () => listenOn(server),
    change: (word) => broadcast(JSON.stringify({ type: 'seat', ...word })),
    changes: (words) => broadcast(JSON.stringify({ type: 'seats', words })),
  };
}

function openSocketIo(): Peer {
  const { Server } = loadPeer('socket.io') as SocketIoModule;
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'] });
  return {
    listen: () => listenOn(server),
    change: (word) => io.emit('seat', word),
    changes: (words) => io.emit('seats', words),
  };
}

async function listenOn(server: HttpServer): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  // Listening on a port, it has an address of that kind.
  return (server.address() as AddressInfo).port;
}

const openers: Readonly<Record<PeerName, () => Peer>> = {
  ws: openWs,
  'socket.io': openSocketIo,
  colyseus: () => openColyseus(SEATS),
};

let peer: Peer | null = null;
/** Changes of all time. */
let lastNumber = 0;

const handlers = {
  async listen({ name }: { name: PeerName }): Promise<number> {
    peer = openers[name]();
    return peer.listen();
  },

  /** Changes seats evenly over a while, and returns how many changes were told. */
  async stir(order: { telling: Telling; perSecond: number; ms: number; tickMs: number }): Promise<number> {
    if (!peer) throw new Error('the peer does not listen yet');
    const { telling, perSecond, ms, tickMs } = order;
    const startedAt = performance.now();
    const stepMs = telling === 'batched' ? tickMs : 1_000 / perSecond;
    let told = 0;
    for (let step = 1; step * stepMs <= ms; step++) {
      await pause(Math.max(0, startedAt + step * stepMs - performance.now()));
      const due = Math.round((step * stepMs * perSecond) / 1_000) - told;
      const words = Array.from({ length: due }, () => wordOf(lastNumber++));
      told += due;
      if (telling === 'batched') peer.changes(words);
      else for (const word of words) peer.change(word);
    }
    return told;
  },
} as const;

/** Each seat in turn, with another status each time round: what stays the same would not be told. */
function wordOf(number: number): SeatWord {
  return { seat: (number * STRIDE) % SEATS, status: 1 + (Math.floor(number / SEATS) % 2) };
}

export type PeerServer = typeof handlers;

serveCalls(handlers);

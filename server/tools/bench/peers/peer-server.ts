/** A process that serves seat changes with one of the peers, as its documentation shows. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { serveCalls } from '../rigs/child.ts';
import { loadPeer } from './peer-packages.ts';

const SEATS = 1_000;
const STRIDE = 7_919;
const LOOPBACK = '127.0.0.1';
const OPEN = 1;

/** How a change is told: each as it comes, in the way the documentation shows first; or all of a tick together. */
export type Telling = 'idiomatic' | 'batched';
export type PeerName = 'ws' | 'socket.io' | 'colyseus';

interface SeatWord {
  readonly seat: number;
  readonly status: number;
}

/** What a peer's server does for us. */
interface Peer {
  listen(): Promise<unknown>;
  /** Tells everybody of one change, now or with the next patch. */
  change(word: SeatWord): void;
  /** Tells everybody of several. */
  changes(words: readonly SeatWord[]): void;
}

/** What is used of each library. */
interface WsModule {
  readonly WebSocketServer: new (options: object) => {
    readonly clients: ReadonlySet<{ readonly readyState: number; send(data: string): void }>;
  };
}
interface SocketIoModule {
  readonly Server: new (server: HttpServer, options: object) => { emit(name: string, data: unknown): void };
}
interface Room {
  broadcast(type: string, message: unknown): void;
}
interface ColyseusModule {
  readonly Room: new () => Room & { autoDispose: boolean; state: unknown };
  readonly Server: new (options: object) => {
    define(name: string, room: unknown): void;
    listen(port: number, host: string): Promise<unknown>;
  };
  readonly matchMaker: { createRoom(name: string, options: object): Promise<unknown> };
}
interface SchemaModule {
  readonly schema: (fields: object, name: string) => new () => { readonly seats: number[] };
  readonly t: { array(of: string): unknown };
}
interface TransportModule {
  readonly WebSocketTransport: new (options: object) => object;
}

const listenOn = (server: HttpServer): Promise<void> =>
  new Promise((resolve) => void server.listen(0, LOOPBACK, resolve));

const openers: Readonly<Record<PeerName, (server: HttpServer) => Peer>> = {
  ws(server) {
    const { WebSocketServer } = loadPeer('ws') as WsModule;
    const { clients } = new WebSocketServer({ server, perMessageDeflate: false });
    const broadcast = (data: string): void => {
      for (const client of clients) if (client.readyState === OPEN) client.send(data);
    };
    return {
      listen: () => listenOn(server),
      change: (word) => broadcast(JSON.stringify({ type: 'seat', ...word })),
      changes: (words) => broadcast(JSON.stringify({ type: 'seats', words })),
    };
  },

  'socket.io'(server) {
    const { Server } = loadPeer('socket.io') as SocketIoModule;
    const io = new Server(server, { transports: ['websocket'] });
    return {
      listen: () => listenOn(server),
      change: (word) => io.emit('seat', word),
      changes: (words) => io.emit('seats', words),
    };
  },

  /** Seats as the state of a room, which Colyseus compares and sends every 50 ms; or as messages. */
  colyseus(server) {
    const { Room, Server, matchMaker } = loadPeer('@colyseus/core') as ColyseusModule;
    const { schema, t } = loadPeer('@colyseus/schema') as SchemaModule;
    const { WebSocketTransport } = loadPeer('@colyseus/ws-transport') as TransportModule;
    const state = new (schema({ seats: t.array('uint8') }, 'SeatState'))();
    for (let seat = 0; seat < SEATS; seat++) state.seats.push(0);
    const rooms: Room[] = [];
    class SeatRoom extends Room {
      onCreate(): void {
        this.autoDispose = false;
        this.state = state;
        rooms.push(this);
      }
    }
    const house = new Server({ transport: new WebSocketTransport({ server }), greet: false });
    house.define('seats', SeatRoom);
    return {
      async listen() {
        await house.listen(0, LOOPBACK);
        // One room for all: several that were made at once would share one state.
        await matchMaker.createRoom('seats', {});
      },
      change: ({ seat, status }) => void (state.seats[seat] = status),
      changes: (words) => {
        for (const room of rooms) room.broadcast('seats', words);
      },
    };
  },
};

let peer: Peer | null = null;
/** Changes of all time. */
let lastNumber = 0;

/** Each seat in turn, with another status each time round: what stays the same would not be told. */
const wordOf = (number: number): SeatWord => ({
  seat: (number * STRIDE) % SEATS,
  status: 1 + (Math.floor(number / SEATS) % 2),
});

const peerServer = {
  /** Returns the port. */
  async listen({ name }: { name: PeerName }): Promise<number> {
    const server = createServer();
    peer = openers[name](server);
    await peer.listen();
    // Listening on a port, it has an address of that kind.
    return (server.address() as AddressInfo).port;
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

export type PeerServer = typeof peerServer;

serveCalls(peerServer);

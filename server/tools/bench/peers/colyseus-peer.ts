import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadPeer } from './peer-packages.ts';
import type { Peer } from './peer.ts';

/** What is used of Colyseus. */
interface Room {
  broadcast(type: string, message: unknown): void;
}
interface CoreModule {
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

/** Seats as the state of a room, which Colyseus compares and sends every 50 ms; or as messages. */
export function openColyseus(seats: number): Peer {
  const { Room, Server, matchMaker } = loadPeer('@colyseus/core') as CoreModule;
  const { schema, t } = loadPeer('@colyseus/schema') as SchemaModule;
  const { WebSocketTransport } = loadPeer('@colyseus/ws-transport') as TransportModule;
  const SeatState = schema({ seats: t.array('uint8') }, 'SeatState');
  const state = new SeatState();
  for (let seat = 0; seat < seats; seat++) state.seats.push(0);
  const rooms: Room[] = [];
  class SeatRoom extends Room {
    onCreate(): void {
      this.autoDispose = false;
      this.state = state;
      rooms.push(this);
    }
  }
  const server = createServer();
  const house = new Server({ transport: new WebSocketTransport({ server }), greet: false });
  house.define('seats', SeatRoom);
  return {
    async listen() {
      await house.listen(0, '127.0.0.1');
      // One room for all: several that were made at once would share one state.
      await matchMaker.createRoom('seats', {});
      // Listening on a port, it has an address of that kind.
      return (server.address() as AddressInfo).port;
    },
    change: ({ seat, status }) => void (state.seats[seat] = status),
    changes: (words) => {
      for (const room of rooms) room.broadcast('seats', words);
    },
  };
}

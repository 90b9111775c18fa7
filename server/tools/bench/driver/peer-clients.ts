import { z } from 'zod';
import type { OpenPeerCall } from './driver-calls.ts';
import { maskedFrame, MassCrowd, type SocketTarget, TEXT } from '../../mass/mass-crowd.ts';

/** What a client of one of the libraries does besides counting. */
interface Manners {
  /** Where a socket goes; asks for a place first where the library wants that. */
  path(): Promise<string>;
  /** What is answered to a message that is no news; null: it is news, or needs no answer. */
  answer(bytes: Buffer, start: number, end: number): Buffer | null;
  /** Whether the message tells of seats. */
  isNews(bytes: Buffer, start: number, end: number): boolean;
}

const OPENING_AT_ONCE = 50;
const CODE_OF_0 = 0x30;
const ENGINE_OPEN = CODE_OF_0;
const ENGINE_PING = CODE_OF_0 + 2;
const ENGINE_MESSAGE = CODE_OF_0 + 4;
const SOCKET_EVENT = CODE_OF_0 + 2;
const ENGINE_PONG = '3';
const SOCKET_CONNECT = '40';

const COLYSEUS_JOIN = 10;
const COLYSEUS_DATA = 13;
const COLYSEUS_PATCH = 15;

const seatReservation = z.object({ roomId: z.string(), processId: z.string(), sessionId: z.string() });

const plain: Manners = { path: async () => '/', answer: () => null, isNews: () => true };

/** Engine.IO 4 over WebSocket, and Socket.IO 5 in it. */
const socketIo: Manners = {
  path: async () => '/socket.io/?EIO=4&transport=websocket',
  answer(bytes, start) {
    if (bytes[start] === ENGINE_OPEN) return maskedFrame(Buffer.from(SOCKET_CONNECT), TEXT);
    return bytes[start] === ENGINE_PING ? maskedFrame(Buffer.from(ENGINE_PONG), TEXT) : null;
  },
  isNews: (bytes, start) => bytes[start] === ENGINE_MESSAGE && bytes[start + 1] === SOCKET_EVENT,
};

const colyseus = (port: number): Manners => ({
  async path() {
    const answer = await fetch(`http://127.0.0.1:${port}/matchmake/join/seats`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const { processId, roomId, sessionId } = seatReservation.parse(await answer.json());
    return `/${processId}/${roomId}?sessionId=${sessionId}`;
  },
  answer: (bytes, start) => (bytes[start] === COLYSEUS_JOIN ? maskedFrame(Buffer.of(COLYSEUS_JOIN)) : null),
  isNews: (bytes, start) => bytes[start] === COLYSEUS_DATA || bytes[start] === COLYSEUS_PATCH,
});

/**
 * Opens clients of a peer's server, some at a time: a place that was asked for must be taken soon.
 * @returns what tells how many messages came since it was last asked
 */
export async function openPeerClients({ port, sockets, name }: OpenPeerCall): Promise<() => number> {
  const manners = { ws: plain, 'socket.io': socketIo, colyseus: colyseus(port) }[name];
  let count = 0;
  for (let opened = 0; opened < sockets; opened += OPENING_AT_ONCE) {
    const some = Math.min(OPENING_AT_ONCE, sockets - opened);
    const paths = await Promise.all(Array.from({ length: some }, () => manners.path()));
    const targetOf = (socket: number): SocketTarget => ({
      port,
      path: paths[socket] ?? '/',
      subprotocol: null,
      bearer: null,
      source: null,
    });
    // What comes with the handshake is answered when there is a crowd to answer with.
    const early: (readonly [socket: number, answer: Buffer])[] = [];
    let crowd: MassCrowd | null = null;
    crowd = await MassCrowd.open(some, targetOf, {
      message(socket, bytes, start, end) {
        const answer = manners.answer(bytes, start, end);
        if (answer && crowd) crowd.send(socket, answer);
        else if (answer) early.push([socket, answer]);
        else if (manners.isNews(bytes, start, end)) count += 1;
      },
      closed: () => undefined,
    });
    for (const [socket, answer] of early) crowd.send(socket, answer);
  }
  return () => {
    const taken = count;
    count = 0;
    return taken;
  };
}

import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { FrameReader } from './frame-reader.ts';
import { CLOSE, maskedFrame, PING, PONG } from './frame-writing.ts';

/** One key for all: what it guards against, a cache that answers with somebody else's handshake, isn't here. */
const KEY = Buffer.from('stampede mass test').subarray(0, 16).toString('base64');
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const ACCEPT = createHash('sha1').update(`${KEY}${ACCEPT_SUFFIX}`).digest('base64');

const HEAD_END = '\r\n\r\n';
const HEAD_BYTES_MAX = 8_192;
const CONNECT_WITHIN_MS = 30_000;
const ABNORMAL = 1006;
const NO_STATUS = 1005;

/** All sockets of a process read into it: what arrives is handled before anything else can. */
const arrivals = Buffer.allocUnsafe(256 * 1_024);

/** Where a socket comes from and goes to. */
export interface SocketTarget {
  readonly port: number;
  readonly path: string;
  /** Null: none is offered. */
  readonly subprotocol: string | null;
  /** Null: no session. */
  readonly bearer: string | null;
  /** An address of loopback; null: the system's choice. */
  readonly source: string | null;
}

export interface SocketEvents {
  /** A message: its payload is `bytes[start … end)`, which is good only until this returns. */
  message(socket: number, bytes: Buffer, start: number, end: number): void;
  /** It is gone, with its close code; 1006 without one. Not told of sockets that we closed. */
  closed(socket: number, code: number): void;
}

/**
 * A WebSocket reduced to what measuring needs: no events, streams or objects per message, one read buffer for all.
 * It answers pings and says nothing else by itself.
 */
export class MassSocket {
  readonly #index: number;
  readonly #socket: Socket;
  readonly #events: SocketEvents;
  readonly #reader = new FrameReader();
  #head: string | null = '';
  #isOver = false;
  readonly #opened = Promise.withResolvers<this>();

  private constructor(index: number, target: SocketTarget, events: SocketEvents) {
    this.#index = index;
    this.#events = events;
    this.#socket = connect({
      host: '127.0.0.1',
      port: target.port,
      noDelay: true,
      ...(target.source !== null && { localAddress: target.source }),
      onread: {
        buffer: arrivals,
        callback: (length) => {
          this.#arrived(length);
          return true;
        },
      },
    });
    const timer = setTimeout(() => this.#fail(new Error('no handshake in time')), CONNECT_WITHIN_MS);
    void this.#opened.promise.catch(() => undefined).then(() => clearTimeout(timer));
    this.#socket.once('connect', () => this.#socket.write(handshake(target)));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.once('close', () => this.#fail(new Error('closed before the handshake was done')));
  }

  /** Resolves when frames can be sent; rejects if the server can't be reached or refuses. */
  static open(index: number, target: SocketTarget, events: SocketEvents): Promise<MassSocket> {
    return new MassSocket(index, target, events).#opened.promise;
  }

  /** Sends a frame made by `maskedFrame`; its bytes must stay as they are until an answer has come. */
  send(frame: Uint8Array): void {
    if (!this.#isOver) this.#socket.write(frame);
  }

  /** Ends it like a network that is gone. */
  drop(): void {
    this.#isOver = true;
    this.#socket.resetAndDestroy();
  }

  /** Ends it in order. */
  close(): void {
    this.#isOver = true;
    this.#socket.end(maskedFrame(Buffer.of(1_000 >> 8, 1_000 & 0xff), CLOSE));
    this.#socket.destroySoon();
  }

  #arrived(length: number): void {
    if (this.#isOver) return;
    try {
      if (this.#head === null) this.#reader.push(arrivals, length, this.#frame);
      else this.#readHead(length);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** The handshake's answer, and frames that came with it. */
  #readHead(length: number): void {
    const before = this.#head ?? '';
    this.#head = before + arrivals.toString('latin1', 0, length);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#head.length > HEAD_BYTES_MAX) throw new Error('the handshake has no end');
      return;
    }
    const head = this.#head.slice(0, end);
    const status = /^HTTP\/1\.1 (.*)$/m.exec(head)?.[1] ?? head;
    const accept = /^sec-websocket-accept: *(\S+)/im.exec(head)?.[1];
    if (!status.startsWith('101') || accept !== ACCEPT) throw new Error(`the server refused: ${status}`);
    const framesFrom = end + HEAD_END.length - before.length;
    this.#head = null;
    this.#opened.resolve(this);
    if (framesFrom < length) {
      const early = Buffer.from(arrivals.subarray(framesFrom, length));
      this.#reader.push(early, early.length, this.#frame);
    }
  }

  readonly #frame = (opcode: number, bytes: Buffer, start: number, end: number): void => {
    if (opcode === PING) {
      this.send(maskedFrame(bytes.subarray(start, end), PONG));
    } else if (opcode === CLOSE) {
      this.#end(end - start >= 2 ? bytes.readUInt16BE(start) : NO_STATUS);
      this.#socket.destroy();
    } else if (opcode !== PONG) {
      this.#events.message(this.#index, bytes, start, end);
    }
  };

  #fail(cause: unknown): void {
    this.#opened.reject(cause instanceof Error ? cause : new Error(String(cause)));
    this.#end(ABNORMAL);
    this.#socket.destroy();
  }

  #end(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#head === null) this.#events.closed(this.#index, code);
  }
}

function handshake({ port, path, subprotocol, bearer }: SocketTarget): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ];
  if (subprotocol !== null) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
  if (bearer !== null) lines.push(`Authorization: Bearer ${bearer}`);
  return `${lines.join('\r\n')}${HEAD_END}`;
}

import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** RFC 6455, section 5.2. */
export const BINARY = 0x2;
export const TEXT = 0x1;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FINAL = 0x80;
const MASKED = 0x80;
const SHORT_MAX = 125;
const LENGTH_16 = 126;
const UINT16_MAX = 0xffff;
const MASK_BYTES = 4;

/**
 * A client's frame of one message. The masking key is zero, which leaves the payload as it is and is masking all the
 * same to whoever reads it: the key protects proxies from scripts in browsers, and there is neither.
 * @throws RangeError for more than 64 KiB, which no client says
 */
export function maskedFrame(payload: Uint8Array, opcode = BINARY): Buffer {
  if (payload.length > UINT16_MAX) throw new RangeError(`a client's frame of ${payload.length} bytes`);
  const isShort = payload.length <= SHORT_MAX;
  const header = isShort
    ? [FINAL | opcode, MASKED | payload.length]
    : [FINAL | opcode, MASKED | LENGTH_16, payload.length >> 8, payload.length & 0xff];
  const frame = Buffer.alloc(header.length + MASK_BYTES + payload.length);
  frame.set(header);
  frame.set(payload, header.length + MASK_BYTES);
  return frame;
}

const OPCODE_MASK = 0x0f;
const LENGTH_MASK = 0x7f;
const LENGTH_64 = 127;

/** Told of each frame: its payload is `bytes[start … end)`, which is good only until this returns. */
export type FrameSink = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/** What arrived is none of the frames that a server sends us. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/**
 * Cuts what a server sends into frames, wherever the network cut it. While frames arrive whole, nothing is allocated
 * or copied.
 */
export class FrameReader {
  #rest: Buffer | null = null;

  /**
   * Reads `bytes[0 … length)`, which may be overwritten afterwards.
   * @throws FrameError for masked or fragmented frames
   */
  push(bytes: Buffer, length: number, sink: FrameSink): void {
    let data = bytes;
    let end = length;
    if (this.#rest) {
      data = Buffer.concat([this.#rest, bytes.subarray(0, length)]);
      end = data.length;
      this.#rest = null;
    }
    let at = 0;
    while (at + 2 <= end) {
      const first = data[at] ?? 0;
      const second = data[at + 1] ?? 0;
      if ((first & FINAL) === 0 || (second & MASKED) !== 0) {
        throw new FrameError(`not a server's whole frame: ${first.toString(16)} ${second.toString(16)}`);
      }
      const short = second & LENGTH_MASK;
      const headerEnd = at + 2 + (short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0);
      if (headerEnd > end) break;
      const size = payloadLength(data, at + 2, short);
      if (headerEnd + size > end) break;
      sink(first & OPCODE_MASK, data, headerEnd, headerEnd + size);
      at = headerEnd + size;
    }
    // Copied, because the caller's bytes are its own again after this.
    if (at < end) this.#rest = Buffer.from(data.subarray(at, end));
  }
}

function payloadLength(data: Buffer, at: number, short: number): number {
  if (short === LENGTH_16) return data.readUInt16BE(at);
  if (short === LENGTH_64) return Number(data.readBigUInt64BE(at));
  return short;
}

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

/** Handshakes under way at once: a server's queue of new connections is not what is being measured. */
const OPENING_MAX = 100;

/** Many sockets of one process, by their number. */
export class MassCrowd {
  readonly #sockets: readonly MassSocket[];

  private constructor(sockets: readonly MassSocket[]) {
    this.#sockets = sockets;
  }

  /**
   * Opens `count` sockets, numbered from 0.
   * @param targetOf where each goes, asked for when its turn has come
   * @throws Error if one is refused; the others are closed then
   */
  static async open(
    count: number,
    targetOf: (socket: number) => SocketTarget,
    events: SocketEvents,
  ): Promise<MassCrowd> {
    const sockets: MassSocket[] = [];
    let next = 0;
    const openSome = async (): Promise<void> => {
      while (next < count) {
        const index = next++;
        sockets[index] = await MassSocket.open(index, targetOf(index), events);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(OPENING_MAX, count) }, openSome));
    } catch (cause) {
      next = count;
      for (const socket of Object.values(sockets)) socket.drop();
      throw cause;
    }
    return new MassCrowd(sockets);
  }

  get size(): number {
    return this.#sockets.length;
  }

  /** Sends a frame made by `maskedFrame`; its bytes must stay as they are until an answer has come. */
  send(socket: number, frame: Uint8Array): void {
    this.#sockets[socket]?.send(frame);
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

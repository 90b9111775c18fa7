import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { decodeServerFrame, encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import type { ClientMessage, ServerMessage, ServerMessageOf } from '@stampede/shared/protocol/messages.ts';

const ANSWER_DEADLINE_MS = 10_000;

export interface SocketOptions {
  readonly bearer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly path?: string;
  /** Which address of this machine connects. */
  readonly from?: string;
}

type WithoutId<Message> = Message extends { readonly requestId: number } ? Omit<Message, 'requestId'> : never;
/** A request that gets its number when it is sent. */
export type Request = WithoutId<ClientMessage>;

/** The server answered the upgrade with a status instead of a socket. */
export class UpgradeRefusedError extends Error {
  override readonly name = 'UpgradeRefusedError';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;

  constructor({ statusCode = 0, headers }: IncomingMessage) {
    super(`the upgrade was answered ${statusCode}`);
    this.status = statusCode;
    this.headers = headers;
  }
}

/** A socket that says what it is told to, sense or nonsense, and keeps everything it hears. */
export class PlainSocket {
  readonly heard: ServerMessage[] = [];
  /** The close code; 1006 if the connection was cut. */
  readonly closed: Promise<number>;
  closeCode: number | null = null;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: ServerMessage) => void>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.closed = promise;
    socket.on('message', (data: Buffer) => this.#hear(data));
    // What goes wrong ends in `close`, and tests that cut and abuse sockets look there.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.closeCode = code;
      resolve(code);
    });
  }

  /** Rejects with `UpgradeRefusedError` where the server says no. */
  static async open(port: number, options: SocketOptions = {}): Promise<PlainSocket> {
    const { bearer, headers = {}, protocols = [SUBPROTOCOL], path = '/socket', from } = options;
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], {
      headers: { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
      perMessageDeflate: false,
      ...(from !== undefined && { localAddress: from }),
    });
    const plain = new PlainSocket(socket);
    const refused = new Promise<never>((_, reject) => {
      socket.on('unexpected-response', (request, response: IncomingMessage) => {
        request.destroy();
        reject(new UpgradeRefusedError(response));
      });
    });
    await Promise.race([once(socket, 'open'), refused]);
    return plain;
  }

  /** Sends raw bytes as a binary frame, or text as a text frame. */
  send(frame: Uint8Array | string): void {
    this.#socket.send(frame);
  }

  /** Sends one message in several frames. */
  sendFragments(frame: Uint8Array, pieces: number): void {
    const length = Math.ceil(frame.length / pieces);
    for (let at = 0; at < frame.length; at += length) {
      const fin = at + length >= frame.length;
      this.#socket.send(frame.subarray(at, at + length), { binary: true, fin });
    }
  }

  say(message: ClientMessage): void {
    this.send(encodeClientMessage(message));
  }

  /** Sends a request and resolves with its answer, whatever it is. */
  ask(request: Request, requestId = (this.#lastId += 1)): Promise<ServerMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<ServerMessage>();
    const timer = setTimeout(() => reject(new Error(`no answer to ${request.type}`)), ANSWER_DEADLINE_MS);
    this.#waiting.set(requestId, resolve);
    this.say({ ...request, requestId });
    void this.closed.then((code) => reject(new Error(`${request.type} was answered by close ${code}`)));
    return promise.finally(() => clearTimeout(timer));
  }

  of<Type extends ServerMessage['type']>(type: Type): ServerMessageOf<Type>[] {
    return this.heard.filter((message): message is ServerMessageOf<Type> => message.type === type);
  }

  /** Reads nothing more until `resume`; what comes piles up on the way. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  /** Ends the connection without a word, as a lost network does. */
  async cut(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  #hear(data: Buffer): void {
    const decoded = decodeServerFrame(new Uint8Array(data));
    if (!decoded.ok) throw new Error(`the server sent what nobody can read: ${decoded.detail}`);
    const { message } = decoded;
    this.heard.push(message);
    if (!('requestId' in message)) return;
    this.#waiting.get(message.requestId)?.(message);
    this.#waiting.delete(message.requestId);
  }
}

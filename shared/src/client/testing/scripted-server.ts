import { closeCodes, type CloseReason } from '../../protocol/codes.ts';
import { decodeClientFrame, encodeServerMessage } from '../../protocol/codec.ts';
import type { ClientMessage, ClientMessageOf, ServerMessage } from '../../protocol/messages.ts';
import type { ClientSocket, OpenSocket, SocketEvents } from '../client-socket.ts';

/** Distributes over a union, as `Omit` alone does not. */
type Without<Message, Key extends string> = Message extends unknown ? Omit<Message, Key> : never;

/** The server's end of one socket in memory: a test reads what arrived and says what it likes. */
export class ScriptedSocket {
  readonly url: string;
  readonly subprotocol: string;
  readonly received: ClientMessage[] = [];
  #ended = false;
  readonly #events: SocketEvents;
  readonly #heard: (message: ClientMessage) => void;

  constructor(
    url: string,
    subprotocol: string,
    events: SocketEvents,
    heard: (message: ClientMessage) => void,
  ) {
    this.url = url;
    this.subprotocol = subprotocol;
    this.#events = events;
    this.#heard = heard;
  }

  /** Whether either side has closed it. */
  get ended(): boolean {
    return this.#ended;
  }

  readonly clientEnd: ClientSocket = {
    send: (frame) => {
      const decoded = decodeClientFrame(frame);
      if (!decoded.ok) throw new Error(`the client sent a frame that is ${decoded.code}: ${decoded.detail}`);
      if (this.#ended) return;
      this.received.push(decoded.message);
      this.#heard(decoded.message);
    },
    close: () => {
      this.#ended = true;
    },
  };

  accept(): void {
    this.#events.opened();
  }

  say(message: ServerMessage): void {
    this.sayBytes(encodeServerMessage(message));
  }

  sayBytes(frame: Uint8Array): void {
    if (!this.#ended) this.#events.received(Uint8Array.from(frame));
  }

  close(reason: CloseReason): void {
    this.closeWith(closeCodes[reason]);
  }

  /** Loses the connection without a word. */
  lose(): void {
    this.closeWith(1006);
  }

  closeWith(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.closed(code);
  }

  /** Every message of a type that arrived, in order. */
  all<Type extends ClientMessage['type']>(type: Type): ClientMessageOf<Type>[] {
    // The filter on `type` is what tells the members of the union apart.
    return this.received.filter((message) => message.type === type) as ClientMessageOf<Type>[];
  }

  /** The last message of a type. */
  last<Type extends ClientMessage['type']>(type: Type): ClientMessageOf<Type> {
    const message = this.all(type).at(-1);
    if (!message)
      throw new Error(`no ${type} arrived; there was ${this.received.map((one) => one.type).join(', ')}`);
    return message;
  }

  /** Answers the last request of a type. */
  answer(
    type: Exclude<ClientMessage['type'], 'acknowledge'>,
    answer: Without<Extract<ServerMessage, { requestId: number }>, 'requestId'>,
  ): void {
    const { requestId } = this.last(type);
    this.say({ ...answer, requestId });
  }
}

/** A server of ours in memory, without a network: each socket that a client opens waits for the test's script. */
export class ScriptedServer {
  readonly sockets: ScriptedSocket[] = [];
  /** Called with each message that arrives, for scripts that answer by themselves. */
  script: (message: ClientMessage, socket: ScriptedSocket) => void = () => undefined;

  readonly openSocket: OpenSocket = (url, subprotocol, events) => {
    const socket = new ScriptedSocket(url, subprotocol, events, (message) => {
      this.script(message, socket);
    });
    this.sockets.push(socket);
    return socket.clientEnd;
  };

  /** The socket that was opened last. */
  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('the client opened no socket');
    return socket;
  }
}

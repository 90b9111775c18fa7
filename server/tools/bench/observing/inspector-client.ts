import { once } from 'node:events';
import WebSocket from 'ws';
import { z } from 'zod';
import { BenchError } from '../bench-error.ts';

const messageShape = z.union([
  z.object({ id: z.number(), result: z.unknown() }),
  z.object({ id: z.number(), error: z.object({ message: z.string() }) }),
]);

/** A profile of a minute has a few megabytes; by itself the library stops at a hundred. */
const MESSAGE_BYTES_MAX = 512 * 1_024 * 1_024;

/** Speaks the Chrome DevTools protocol to a Node.js process that was started with `--inspect`. */
export class InspectorClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #end: Error | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#settle(JSON.parse(data.toString())));
    socket.on('error', (cause) => this.#fail(cause));
    socket.on('close', () => this.#fail(new BenchError('A server ended while it was being observed.')));
  }

  /** @param url as Node.js prints it: `ws://…` */
  static async connect(url: string): Promise<InspectorClient> {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX });
    await once(socket, 'open');
    return new InspectorClient(socket);
  }

  /**
   * Calls in one turn are done in their order.
   * @throws BenchError with what the inspector said if it refused
   */
  async call(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#end !== null) throw this.#end;
    const pending = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#waiting.set(id, pending);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return pending.promise;
  }

  /** A process with a client waits for it when it ends, so each client must be closed. */
  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #settle(message: unknown): void {
    const answered = messageShape.safeParse(message);
    // Events have no id, and nobody here waits for any.
    if (!answered.success) return;
    const { id } = answered.data;
    const pending = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ('error' in answered.data) pending?.reject(new BenchError(answered.data.error.message));
    else pending?.resolve(answered.data.result);
  }

  #fail(cause: Error): void {
    this.#end ??= cause;
    for (const one of this.#waiting.values()) one.reject(cause);
    this.#waiting.clear();
  }
}

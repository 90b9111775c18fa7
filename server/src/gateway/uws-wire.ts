import { closeCodes } from '@stampede/shared/protocol/codes.ts';
import type { WebSocket } from 'uWebSockets.js';
import type { EndReason, Wire } from './wire.ts';

/** uWebSockets.js: the socket did not take the message because too much is unread. */
const DROPPED = 2;

/** Told of frames handed to sockets, and the bytes of each. */
export type CountFrames = (frames: number, bytesEach: number) => void;

/** One of the library's sockets. */
export class UwsWire implements Wire {
  readonly #countFrames: CountFrames;
  /** Why we ended it; null while we have not. */
  endedFor: EndReason | null = null;
  #socket: WebSocket<unknown> | null;

  constructor(socket: WebSocket<unknown>, countFrames: CountFrames) {
    this.#socket = socket;
    this.#countFrames = countFrames;
  }

  send(frame: Uint8Array): void {
    if (!this.#socket) return;
    this.#countFrames(1, frame.length);
    // An answer that a slow reader can't take would be missing for good; reconnecting brings the truth.
    if (this.#socket.send(frame, true) === DROPPED) this.close('slow-reader');
  }

  close(reason: EndReason): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    this.endedFor = reason;
    if (reason === 'slow-reader') socket.close();
    else socket.end(closeCodes[reason], reason);
  }

  subscribe(topic: string): void {
    this.#socket?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#socket?.unsubscribe(topic);
  }

  cork(run: () => void): void {
    this.#socket?.cork(run);
  }

  /** The socket is gone and must not be touched again. */
  detach(): void {
    this.#socket = null;
  }
}

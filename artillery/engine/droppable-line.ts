import type { OpenSocket, SocketEvents } from '@stampede/shared/client/stampede-client.ts';

/** What a client hears of a connection that was lost without a word (RFC 6455). */
const LOST = 1006;

/** A buyer's way to the server, which can be cut like a phone in a tunnel; the client notices and comes back. */
export class DroppableLine {
  readonly openSocket: OpenSocket;
  /** When the socket in use began to open. */
  openedAt = 0;
  #events: SocketEvents | null = null;

  /** @param stopwatch milliseconds with fractions */
  constructor(openSocket: OpenSocket, stopwatch: () => number) {
    this.openSocket = (url, subprotocol, events) => {
      this.openedAt = stopwatch();
      this.#events = events;
      return openSocket(url, subprotocol, events);
    };
  }

  drop(): void {
    this.#events?.closed(LOST);
  }
}

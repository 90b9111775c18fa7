/** What a socket tells its owner. `closed` comes once and last, also when the socket never opened. */
export interface SocketEvents {
  opened(): void;
  received(frame: Uint8Array): void;
  /** `code` as in RFC 6455; 1006 where the connection was lost without a word. */
  closed(code: number): void;
}

/** A binary message socket. After `close` its owner no longer listens. */
export interface ClientSocket {
  send(frame: Uint8Array): void;
  close(): void;
}

/** Begins to open a socket; events follow later, never during the call. */
export type OpenSocket = (url: string, subprotocol: string, events: SocketEvents) => ClientSocket;

const EMPTY_FRAME = new Uint8Array(0);

/** The platform's own WebSocket: browsers and Node have the same. */
export const openWebSocket: OpenSocket = (url, subprotocol, events) => {
  const socket = new WebSocket(url, subprotocol);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    events.opened();
  };
  socket.onmessage = ({ data }: { data: unknown }) => {
    // A text frame is nothing we know; as an empty frame it is found unreadable like any other.
    events.received(data instanceof ArrayBuffer ? new Uint8Array(data) : EMPTY_FRAME);
  };
  socket.onclose = ({ code }) => {
    events.closed(code);
  };
  return {
    send(frame) {
      // A copy never lies in shared memory, which some platforms' `send` would not take.
      socket.send(new Uint8Array(frame));
    },
    close() {
      socket.close();
    },
  };
};

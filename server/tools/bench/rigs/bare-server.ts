/** A process with a bare uWebSockets.js server: what the library does when nothing else is to be done. */
import { setTimeout as pause } from 'node:timers/promises';
import uWS from 'uWebSockets.js';
import { serveCalls } from './child.ts';

const TOPIC = 'all';
const LOOPBACK = '127.0.0.1';
/** The same bounds as the gateway's. */
const BUFFERED_BYTES_MAX = 256 * 1_024;
const PAYLOAD_BYTES_MAX = 16 * 1_024;
const IDLE_TIMEOUT_SECONDS = 32;

const app = uWS.App();
let reply = new Uint8Array(0);

app.ws('/socket', {
  compression: uWS.DISABLED,
  maxBackpressure: BUFFERED_BYTES_MAX,
  maxPayloadLength: PAYLOAD_BYTES_MAX,
  idleTimeout: IDLE_TIMEOUT_SECONDS,
  sendPingsAutomatically: true,
  open: (socket) => void socket.subscribe(TOPIC),
  message: (socket) => void socket.send(reply, true),
});

const bareServer = {
  /** Listens, and from then on answers every message with so many bytes; returns the port. */
  listen: async ({ replyBytes }: { replyBytes: number }): Promise<number> => {
    reply = new Uint8Array(replyBytes);
    const { promise, resolve } = Promise.withResolvers<uWS.us_listen_socket | false>();
    app.listen(LOOPBACK, 0, resolve);
    const socket = await promise;
    if (socket === false) throw new Error('no port is free');
    return uWS.us_socket_local_port(socket);
  },

  /** Publishes these frames (base64), one at each tick of so many milliseconds, to everybody. */
  publish: async ({ frames, tickMs }: { frames: readonly string[]; tickMs: number }): Promise<void> => {
    const all = frames.map((frame) => Buffer.from(frame, 'base64'));
    const startedAt = performance.now();
    for (const [index, frame] of all.entries()) {
      app.publish(TOPIC, frame, true);
      await pause(Math.max(0, startedAt + (index + 1) * tickMs - performance.now()));
    }
  },
} as const;

export type BareServer = typeof bareServer;

serveCalls(bareServer);

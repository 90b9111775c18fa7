import { openFilesMax } from './open-files.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { remoteAddress } from './http-exchange.ts';
import { tcpConnections } from './tcp-connections.ts';
import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import uWS from 'uWebSockets.js';
import type { Audience } from '../sale/section-broadcast.ts';
import { type HealthParts, type HttpParts, routeHealth, routeHttp } from './http-routes.ts';
import { listen, type Listening } from './http-listen.ts';
import { type BuyerSockets, type CountFrames, openBuyerSockets, type SocketParts } from './uws-sockets.ts';

/** Clients that reconnect a second: what the servers that stay take in beside their own buyers. */
const MOVES_PER_SECOND = 2_000;
/** Time to read the word of it, and what an operator (or `docker stop`, after 10 s) has patience for. */
const MOVING_MS_MIN = 500;
const MOVING_MS_MAX = 5_000;
const MS_PER_SECOND = 1_000;

export type GatewayParts = Omit<HttpParts, 'endSession'> & Omit<SocketParts, 'countFrames' | 'connections'>;

/** Where to listen. */
export interface Places {
  readonly host: string;
  readonly port: number;
  /** Of readiness and metrics; null: the same port. */
  readonly opsPort: number | null;
}

/** The ports in use. */
export interface OpenPorts {
  readonly port: number;
  readonly opsPort: number;
}

/** What buyers connect to: sockets and HTTP on one port. */
export class Gateway {
  readonly #app = uWS.App();
  readonly #opsApp = uWS.App();
  #listening: Listening | null = null;
  readonly #countFrames: CountFrames;
  #sockets: BuyerSockets | null = null;

  constructor(countFrames: CountFrames) {
    this.#countFrames = countFrames;
  }

  /**
   * This node's sockets, by topic. The library keeps topics from the moment there is a socket route and crashes the
   * process when asked before, so until then, and in a process that serves no buyers, the answer is: nobody.
   */
  readonly audience: Audience = {
    publish: (topic, frame) => {
      if (!this.#sockets) return;
      this.#app.publish(topic, frame, true);
      this.#countFrames(this.#app.numSubscribers(topic), frame.length);
    },
    size: (topic) => (this.#sockets ? this.#app.numSubscribers(topic) : 0),
  };

  /** Opens sockets and routes and starts listening. Rejects with `ListenError`. */
  async open(parts: GatewayParts, places: Places): Promise<OpenPorts> {
    const connections = this.#limitConnections(parts);
    const sockets = openBuyerSockets(this.#app, { ...parts, countFrames: this.#countFrames, connections });
    this.#sockets = sockets;
    this.#routeOperations(parts, places);
    routeHttp(this.#app, { ...parts, endSession: (session) => sockets.endSession(session) });
    return this.#listen(places);
  }

  /** Closes at once what is one connection too many. */
  #limitConnections(parts: GatewayParts): ConnectionLimits {
    const limits = new ConnectionLimits({
      filesMax: openFilesMax(),
      socketsPerAddressMax: parts.socketsPerAddressMax,
      isExempt: (address) => parts.trustedProxies.has(address) || parts.unlimitedAddresses.has(address),
      census: () => (this.#listening ? tcpConnections(this.#listening.port) : null),
      clock: parts.outside.clock,
    });
    // Told of every connection made (1), and of those that end without having become a socket (-1).
    this.#app.filter((response, change) => {
      if (change !== 1) {
        limits.left();
        return;
      }
      const address = remoteAddress(response);
      const admission = limits.arrived(address);
      if (admission === 'welcome') return;
      parts.events.refused(admission, () => parts.networks.of(address));
      response.close();
    });
    return limits;
  }

  /** Listens for questions about this process' health only: it serves no buyers. */
  openHealth(parts: HealthParts, places: Places): Promise<OpenPorts> {
    this.#routeOperations(parts, places);
    return this.#listen(places);
  }

  /** Before all other routes: what is for any path would answer first. */
  #routeOperations(parts: HealthParts, { opsPort }: Places): void {
    routeHealth(this.#app, parts, opsPort === null);
    if (opsPort !== null) routeHealth(this.#opsApp, parts, true);
  }

  /** A port of operations lives on while this server drains. */
  async #listen({ host, port, opsPort }: Places): Promise<OpenPorts> {
    this.#listening = await listen(this.#app, host, port);
    const ops = opsPort === null ? null : await listen(this.#opsApp, host, opsPort, 'OPS_PORT');
    return { port: this.#listening.port, opsPort: ops?.port ?? this.#listening.port };
  }

  get socketCount(): number {
    return this.#sockets?.count() ?? 0;
  }

  /**
   * Takes no more connections and asks everybody to move to another server, or back to this one's successor. Returns
   * the milliseconds within which they do: before that nobody's socket should be closed.
   */
  drain(): number {
    this.#listening?.stop();
    const spreadMs = movingSpreadMs(this.socketCount);
    this.#sockets?.tellAll(encodeServerMessage({ type: 'moving', spreadMs }));
    return spreadMs;
  }

  /** Ends every connection. */
  close(): void {
    this.#listening?.stop();
    this.#sockets?.closeAll('moving');
    this.#app.close();
    this.#opsApp.close();
  }
}

/** How long so many sockets take to move without stampeding the servers that stay. */
export function movingSpreadMs(sockets: number): number {
  const neededMs = Math.ceil((sockets / MOVES_PER_SECOND) * MS_PER_SECOND);
  return Math.min(MOVING_MS_MAX, Math.max(MOVING_MS_MIN, neededMs));
}

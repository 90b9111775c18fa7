import { type CloseReason, closeCodes } from '@stampede/shared/protocol/codes.ts';
import { FRAME_BYTES_HARD_MAX } from '@stampede/shared/protocol/limits.ts';
import uWS from 'uWebSockets.js';
import type { BuyerSession, SessionReading } from '../access/buyer-session.ts';
import { budgetKey } from '../access/ip-address.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { BuyerConnection, type ConnectionParts } from './buyer-connection.ts';
import type { NetworkTag, SessionId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import { SessionTabs } from '../sale/session-tabs.ts';
import { type UpgradeParts, upgradeSocket } from './socket-upgrade.ts';
import type { EndReason, Wire } from './wire.ts';

/** uWebSockets.js: the socket did not take the message because too much is unread. */
const DROPPED = 2;

/** Where buyers' sockets connect. */
export const SOCKET_PATH = '/socket';

/** What a slow reader may leave unread; beyond it broadcasts to this socket are dropped and mended by snapshots. */
const BUFFERED_BYTES_MAX = 256 * 1_024;
/** A socket that shows no sign of life for so long, pings included, is gone. */
const IDLE_TIMEOUT_SECONDS = 32;

/** The library's patience, of half the idle time-out at most, rounded up. */
const LINGER_MS = 16_000;
/** RFC 6455, 7.1.5: there was no close frame. */
const ABNORMAL = 1_006;
/** A socket outlives its session by so much at most. */
const SESSION_CHECK_MS = 10_000;

/** Told of frames handed to sockets, and the bytes of each. */
export type CountFrames = (frames: number, bytesEach: number) => void;

export interface SocketParts extends UpgradeParts {
  readonly countFrames: CountFrames;
  readonly connection: Omit<ConnectionParts, 'siblings' | 'events'>;
  readonly socketsPerAddressMax: number;
  readonly connections: ConnectionLimits;
}

/** The open sockets of one address. */
interface Address {
  readonly key: string;
  readonly network: NetworkTag | null;
  sockets: number;
}

interface SocketData {
  /** Null where none came with the upgrade, and once the connection has heard of it. */
  session: BuyerSession | null;
  /** Shared by all of them: many buyers may sit behind one. */
  readonly address: Address;
  connection: BuyerConnection | null;
  wire: UwsWire | null;
}

/** The sockets of a node. */
export interface BuyerSockets {
  /** How many are open. */
  count(): number;
  /** One by one: a topic for what is said once in a process' life would cost every socket 200 bytes. */
  tellAll(frame: Uint8Array): void;
  closeAll(reason: CloseReason): void;
  /** Closes what is open of a session that was signed out. */
  endSession(session: SessionId): void;
}

/** Opens buyers' sockets on an app. */
export function openBuyerSockets(app: uWS.TemplatedApp, parts: SocketParts): BuyerSockets {
  const addresses = new Map<string, Address>();
  const wires = new Set<UwsWire>();
  const siblings = new SessionTabs<BuyerConnection>();
  const connectionParts = { ...parts.connection, siblings, events: parts.events };
  const stopEnding = endSessionsInTime(parts, siblings);

  app.ws<SocketData>(SOCKET_PATH, {
    maxPayloadLength: FRAME_BYTES_HARD_MAX,
    maxBackpressure: BUFFERED_BYTES_MAX,
    closeOnBackpressureLimit: false,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    sendPingsAutomatically: true,
    compression: uWS.DISABLED,

    upgrade(response, request, context) {
      upgradeSocket(parts, [response, request, context], (address, reading) =>
        socketData(parts, addresses, address, reading),
      ).catch((cause: unknown) => parts.logger.error({ err: cause }, 'an upgrade failed'));
    },

    open(socket) {
      const data = socket.getUserData();
      data.address.sockets += 1;
      addresses.set(data.address.key, data.address);
      data.wire = new UwsWire(socket, parts.countFrames);
      wires.add(data.wire);
      data.connection = new BuyerConnection(connectionParts, data.wire, data.address.network);
      const { session } = data;
      data.session = null;
      if (session) data.connection.recognise(session);
    },

    message(socket, frame, isBinary) {
      socket.getUserData().connection?.receive(new Uint8Array(frame), isBinary);
    },

    dropped(socket) {
      socket.getUserData().connection?.missed();
    },

    drain(socket) {
      if (socket.getBufferedAmount() === 0) socket.getUserData().connection?.caughtUp();
    },

    close(socket, code) {
      const { address, wire, connection } = socket.getUserData();
      address.sockets -= 1;
      if (address.sockets === 0) addresses.delete(address.key);
      if (wire) wires.delete(wire);
      wire?.detach();
      const reason = wire?.endedFor ?? (code === ABNORMAL ? 'cut' : 'left');
      parts.events.socketEnded(reason, address.network);
      // One that we ended with a word waits for the other end to go along.
      if (reason in closeCodes) parts.outside.clock.after(LINGER_MS, () => parts.connections.left());
      else parts.connections.left();
      connection?.closed();
    },
  });
  return {
    count: () => wires.size,
    tellAll(frame) {
      for (const wire of [...wires]) wire.send(frame);
    },
    closeAll(reason) {
      void stopEnding();
      for (const wire of [...wires]) wire.close(reason);
    },
    endSession(session) {
      for (const connection of [...siblings.of(session)]) connection.rejectSession();
    },
  };
}

/** Sees to it that sockets end with their sessions; a timer each would be dear. */
function endSessionsInTime(
  { outside: { clock }, logger }: SocketParts,
  connections: SessionTabs<BuyerConnection>,
): () => Promise<void> {
  const endThose = async (): Promise<void> => {
    const now = clock.now();
    for (const connection of [...connections.all()]) connection.endSessionIfOver(now);
  };
  const report = (cause: unknown): void => logger.error({ err: cause }, 'sessions could not be ended');
  return repeat(clock, SESSION_CHECK_MS, endThose, report);
}

/** What the library keeps with a socket from the start; or why there is none. */
function socketData(
  { networks, unlimitedAddresses, socketsPerAddressMax }: SocketParts,
  addresses: ReadonlyMap<string, Address>,
  from: string,
  reading: SessionReading,
): SocketData | CloseReason {
  const key = budgetKey(from);
  const address = addresses.get(key) ?? { key, network: networks.of(from), sockets: 0 };
  const isFull = address.sockets >= socketsPerAddressMax && !unlimitedAddresses.has(from);
  if (isFull) return 'too-many-sockets';
  if (reading.kind === 'stale') return 'session-stale';
  const session = reading.kind === 'session' ? reading.session : null;
  return { session, address, connection: null, wire: null };
}

/** One of the library's sockets. */
class UwsWire implements Wire {
  readonly #countFrames: CountFrames;
  /** Why we ended it; null while we have not. */
  endedFor: EndReason | null = null;
  #socket: uWS.WebSocket<unknown> | null;

  constructor(socket: uWS.WebSocket<unknown>, countFrames: CountFrames) {
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

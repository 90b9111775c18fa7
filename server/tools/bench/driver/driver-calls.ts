/** What a driver does when it is told to. Sockets are numbered from 0. */

/** Opens sockets to a server of this machine. */
export interface OpenCall {
  readonly port: number;
  readonly sockets: number;
  /** Whether each presents a session of its own; without, the server is a bare one. */
  readonly buyers: boolean;
  /** Keeps the sessions of drivers that work side by side apart. */
  readonly firstBuyer: number;
}

/** Brings every socket into a show. */
export interface EnterCall {
  readonly show: number;
  /** How far: `entered` just looks, `waiting` has joined, `admitted` may shop. */
  readonly until: 'entered' | 'waiting' | 'admitted';
  /** Sections that the first `watchers` sockets watch. */
  readonly watch: readonly number[];
  readonly watchers: number;
}

/** Every socket sends requests, each after the answer to the one before. */
export interface VolleyCall {
  /** `echo`: any answer will do, and its content says nothing. */
  readonly kind: 'hold' | 'echo';
  readonly perSocket: number;
  /** Sockets that are at it at a time. */
  readonly inFlight: number;
  /** The one seat that all want; null: each another one, all over the house. */
  readonly seat: number | null;
  readonly seatCount: number;
  /**
   * Requests a second, sent when they are due whether others were answered or not, which is how latency is measured;
   * null: as many as are answered.
   */
  readonly perSecond: number | null;
}

export interface VolleyResult {
  readonly seconds: number;
  readonly held: number;
  readonly refused: number;
  /** Milliseconds from when a request was due to its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Bytes of an answer on average, without its frame's header. */
  readonly replyBytes: number;
}

export interface ListenResult {
  readonly seconds: number;
  readonly frames: number;
  /** Seat changes in them. */
  readonly changes: number;
  readonly bytes: number;
  /** Frames that did not follow the one before: none may be missing [P5]. */
  readonly gaps: number;
  /** The frames of the first socket, base64: what others are to be sent for comparison. */
  readonly sample: readonly string[];
}

export interface SellCall {
  /** Seats of one order. */
  readonly seatsPerOrder: number;
  /** Buyers at it at a time. */
  readonly inFlight: number;
  readonly price: number;
  /** Orders a second, or as many as are settled. */
  readonly perSecond: number | null;
  /** The first socket that buys; those before it watch. */
  readonly firstBuyer: number;
  readonly seatsPerSection: number;
  /** Begins the idempotency keys, which are used once. */
  readonly label: string;
}

export interface SellResult {
  readonly seconds: number;
  readonly confirmed: number;
  readonly failed: number;
  /** What went wrong, and how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** Milliseconds from the click on pay until another client saw the seats sold; 0 where nobody watched. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Opens sockets to a peer's server, each a client as that library's own would be. */
export interface OpenPeerCall {
  readonly port: number;
  readonly sockets: number;
  readonly name: 'ws' | 'socket.io' | 'colyseus';
}

/** What a driver does when it is told to. Sockets are numbered from 0. */

/** Opens sockets to a server of this machine. */
export interface OpenCall {
  readonly port: number;
  readonly sockets: number;
  /** The first of the sessions that they present, one each, so that drivers can work side by side; null: a bare server. */
  readonly firstBuyer: number | null;
}

/** What a socket does each time it is its turn. */
export type Errand =
  /** Comes into a show: `entered` just looks, `waiting` has joined, `admitted` may shop. The first `watchers` watch. */
  | {
      readonly kind: 'enter';
      readonly show: number;
      readonly until: 'entered' | 'waiting' | 'admitted';
      readonly watch: readonly number[];
      readonly watchers: number;
    }
  /** Any answer will do, and its content says nothing. */
  | { readonly kind: 'echo' }
  /** Asks for one seat: for `seat`, or each time for another one, all over the house. */
  | { readonly kind: 'hold'; readonly seat: number | null; readonly seatCount: number }
  /** Gives back what the last work held; only who holds something is asked. */
  | { readonly kind: 'release' }
  /** Holds so many seats, each time others, and keeps them, pays for them or gives them back. */
  | (Shopping & {
      readonly kind: 'shop';
      readonly then: 'keep' | 'pay' | 'release';
      readonly seatCount: number;
    })
  /** Pays for what it kept, until socket 0, which watches, sees the seats sold. */
  | (Shopping & { readonly kind: 'pay'; readonly seatsPerSection: number });

interface Shopping {
  readonly seatsAtOnce: number;
  readonly price: number;
  /** Begins the idempotency keys, which are used once. */
  readonly label: string;
}

export interface WorkCall {
  readonly errand: Errand;
  /** How often each socket goes. */
  readonly times: number;
  /** The first socket that goes; 0 unless told. */
  readonly from?: number;
  /** Sockets that are at it at a time, or errands a second, begun when they are due whether others are over or not. */
  readonly pace: { readonly inFlight: number } | { readonly perSecond: number };
}

export interface WorkResult {
  readonly seconds: number;
  /** How errands ended, and how often. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Milliseconds from when an errand was due until it was over. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Bytes of the message that ended an errand on average, without its frame's header. */
  readonly replyBytes: number;
}

export interface ListenResult {
  readonly seconds: number;
  readonly frames: number;
  /** Seat changes in them. */
  readonly changes: number;
  /** Frames that did not follow the one before: none may be missing [P5]. */
  readonly gaps: number;
  /** The frames of the first socket, base64: what others are to be sent for comparison. */
  readonly sample: readonly string[];
}

/** Opens sockets to a peer's server, each a client as that library's own would be. */
export interface OpenPeerCall {
  readonly port: number;
  readonly sockets: number;
  readonly name: 'ws' | 'socket.io' | 'colyseus';
}

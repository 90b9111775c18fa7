import { type CloseReason, closeCodes } from '@stampede/shared/protocol/codes.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { NetworkTag } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics, Tallies } from '../platform/metrics.ts';
import { sparing } from '../platform/outside.ts';

/** What is turned away: attacks show here first. */
const REFUSALS = [
  'connection-of-address',
  'connection-of-all',
  'origin',
  'subprotocol',
  'session-stale',
  'recovery-unknown',
  'budget-read',
  'budget-session',
  'budget-recovery',
  'budget-socket',
  'frame-malformed',
  'frame-unknown-message',
  'frame-too-large',
  'frame-rate-limited',
] as const;
export type RefusalKind = (typeof REFUSALS)[number];

/** How sockets end; `left`: the other end hung up, `cut`: it is gone without a word. */
const SOCKET_ENDS = [...(Object.keys(closeCodes) as CloseReason[]), 'slow-reader', 'left', 'cut'] as const;
export type SocketEnd = (typeof SOCKET_ENDS)[number];

/** Ends that honest clients bring about all day. */
const ORDINARY: ReadonlySet<SocketEnd> = new Set(['moving', 'left', 'cut']);

interface Parts {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Counts what was turned away and writes samples of it into the log: what, how often since the last line, and the
 * tag of a network, by which lines can be put together and nobody be found.
 */
export class SecurityEvents {
  readonly #logger: Logger;
  readonly #refusals: Tallies<RefusalKind>;
  readonly #socketEnds: Tallies<SocketEnd>;
  /** A flood is told of in few lines of each kind, or the log would be what it fills. */
  readonly #timesOf: (kind: RefusalKind | SocketEnd) => number;

  constructor({ metrics, logger, clock }: Parts) {
    this.#logger = logger;
    this.#timesOf = sparing(clock);
    const refused = 'Connections, calls and frames that were turned away.';
    this.#refusals = metrics.tallies('stampede_refusals_total', refused, 'kind', REFUSALS);
    const ended = 'Sockets that ended.';
    this.#socketEnds = metrics.tallies('stampede_socket_closes_total', ended, 'reason', SOCKET_ENDS);
  }

  /** `network` is asked for only where a line is written. */
  refused(kind: RefusalKind, network: () => NetworkTag | null): void {
    this.#refusals.add(kind);
    this.#sample(kind, 'refused', network);
  }

  socketEnded(end: SocketEnd, network: NetworkTag | null): void {
    this.#socketEnds.add(end);
    if (!ORDINARY.has(end)) this.#sample(end, 'a socket was ended', () => network);
  }

  #sample(kind: RefusalKind | SocketEnd, message: string, network: () => NetworkTag | null): void {
    const times = this.#timesOf(kind);
    if (times > 0) this.#logger.warn({ kind, times, network: network() }, message);
  }
}

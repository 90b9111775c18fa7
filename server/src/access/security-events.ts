import { type CloseReason, closeCodes } from '@stampede/shared/protocol/codes.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { NetworkTag } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics, Tallies } from '../platform/metrics.ts';

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

/** A flood is told of in a line of each kind per so long, or the log would be what it fills. */
const SAMPLE_MS = 10_000;

/**
 * Counts what was turned away and writes samples of it into the log: what, how often since the last line, and the
 * tag of a network, by which lines can be put together and nobody be found.
 */
export class SecurityEvents {
  readonly #parts: Parts;
  readonly #refusals: Tallies<RefusalKind>;
  readonly #socketEnds: Tallies<SocketEnd>;
  readonly #told = new Map<RefusalKind | SocketEnd, { at: number; unsaid: number }>();

  constructor(parts: Parts) {
    const { metrics } = parts;
    this.#parts = parts;
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
    const now = this.#parts.clock.now();
    const last = this.#told.get(kind);
    // A clock that was set back must not keep anything quiet for long.
    if (last && Math.abs(now - last.at) < SAMPLE_MS) {
      last.unsaid += 1;
      return;
    }
    this.#told.set(kind, { at: now, unsaid: 0 });
    this.#parts.logger.warn({ kind, times: 1 + (last?.unsaid ?? 0), network: network() }, message);
  }
}

import type { Clock } from '@stampede/shared/platform/clock.ts';
import { budgetKey } from '../access/ip-address.ts';

/** Files that the process keeps for itself: its database, its stores, its log, and questions about its health. */
const RESERVE_MIN = 64;
const RESERVE_SHARE = 0.05;
/** Counting anew reads a line for every connection of the machine. */
const RECOUNT_MS = 5_000;
/** Those behind an address fetch pages beside their sockets, also where they may have few. */
const CONNECTIONS_PER_SOCKET = 2;
const CONNECTIONS_MIN = 100;

export interface ConnectionLimitParts {
  /** Files that the process may have open; null: not known, and not bounded here. */
  readonly filesMax: number | null;
  readonly socketsPerAddressMax: number;
  /** Whether the bound per address doesn't hold for it: proxies, and who has no limits. */
  readonly isExempt: (address: string) => boolean;
  /** The other ends of all open connections; null where that can't be known. */
  readonly census: () => readonly string[] | null;
  readonly clock: Clock;
}

/** What becomes of a connection that was just made. */
export type Admission = 'welcome' | 'connection-of-address' | 'connection-of-all';

/**
 * How many connections the process and each address may have, before a byte of them is read [P7]. At the system's own
 * bound the library's loop would turn without end and nobody could be answered, so there is a reserve.
 *
 * That a connection ended is known, but not whose it was. So an address' count only rises, and is put right by a census
 * when it reaches the bound: it may be too high in between, never too low.
 */
export class ConnectionLimits {
  readonly #parts: ConnectionLimitParts;
  readonly #max: number;
  readonly #perAddressMax: number;
  #open = 0;
  #byAddress = new Map<string, number>();
  #countedAt = -Infinity;

  constructor(parts: ConnectionLimitParts) {
    const { filesMax, socketsPerAddressMax } = parts;
    this.#parts = parts;
    this.#perAddressMax = CONNECTIONS_MIN + CONNECTIONS_PER_SOCKET * socketsPerAddressMax;
    this.#max = filesMax === null ? Infinity : filesMax - Math.max(RESERVE_MIN, filesMax * RESERVE_SHARE);
  }

  /** A connection was made, with this canonical address at its other end; unless welcome it must be closed. */
  arrived(address: string): Admission {
    this.#open += 1;
    if (this.#open > this.#max) return 'connection-of-all';
    if (this.#parts.isExempt(address)) return 'welcome';
    const key = budgetKey(address);
    const before = this.#byAddress.get(key) ?? 0;
    if (before < this.#perAddressMax) {
      this.#byAddress.set(key, before + 1);
      return 'welcome';
    }
    // The census has this one as well.
    return this.#recount() && (this.#byAddress.get(key) ?? 0) <= this.#perAddressMax
      ? 'welcome'
      : 'connection-of-address';
  }

  /** A connection is gone, welcome or not. */
  left(): void {
    this.#open -= 1;
  }

  /** False if the last time is too recent. */
  #recount(): boolean {
    const now = this.#parts.clock.now();
    // A clock that was set back must not keep anybody out for long.
    if (Math.abs(now - this.#countedAt) < RECOUNT_MS) return false;
    this.#countedAt = now;
    this.#byAddress = new Map();
    for (const address of this.#parts.census() ?? []) {
      const key = budgetKey(address);
      this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    }
    return true;
  }
}

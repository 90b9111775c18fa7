import type { Connection, Refused } from '@stampede/shared/client/stampede-client.ts';
import type { Tally } from './report.ts';

/** Refusals that a well-behaved buyer may meet. */
const PART_OF_A_SALE: ReadonlySet<Refused['code']> = new Set<Refused['code']>([
  'seat-taken',
  'cooling-down',
  'network-limit',
  'sold-out',
  'sale-closed',
  'sale-paused',
  'sale-not-open',
  'not-admitted',
  'hold-ended',
  'queue-full',
  'busy',
  'rate-limited',
  'disconnected',
]);

/** A buyer who meets so much that should not happen is stuck in it. */
const ERRORS_MAX = 10;

/** What one buyer lives through, told apart: what belongs to a sale, and what must not happen. */
export class Diary {
  readonly #tally: Tally;
  readonly #buyer: number;
  #errors = 0;
  #losses = 0;
  #wasConnected = false;

  constructor(tally: Tally, buyer: number) {
    this.#tally = tally;
    this.#buyer = buyer;
  }

  /** Connections lost so far. */
  get losses(): number {
    return this.#losses;
  }

  get isStuck(): boolean {
    return this.#errors >= ERRORS_MAX;
  }

  note(kind: string): void {
    this.#tally.note(kind);
  }

  unexpected(kind: string): void {
    this.#errors++;
    this.#tally.error(kind, this.#buyer);
  }

  /** @param lossesBefore connections lost when the request was made */
  refused(what: string, { code, detail }: Refused, lossesBefore: number): void {
    // A server that was away could not answer in time; whether it came back is seen at the end.
    const wasAway = code === 'timed-out' && this.#losses > lossesBefore;
    if (wasAway || PART_OF_A_SALE.has(code)) this.note(`${what}: ${code}`);
    else this.unexpected(`${what}: ${code}${detail && ` (${detail})`}`);
  }

  connection(now: Connection): void {
    switch (now.state) {
      case 'connecting':
      case 'silent':
        break;
      case 'open':
        if (this.#wasConnected) this.note('reconnected');
        this.#wasConnected = true;
        break;
      case 'reconnecting':
        this.#losses++;
        break;
      case 'stopped':
        this.unexpected(`the connection ended for good: ${now.reason}`);
        break;
    }
  }

  /** The buyer leaves without an answer. */
  unanswered(connection: Connection | undefined): void {
    if (connection?.state === 'reconnecting') this.unexpected('a lost connection never came back');
  }
}

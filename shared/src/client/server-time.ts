/** A sample this far below the estimate means that a clock was set, not that a frame was slow. */
const CLOCK_SET_MS = 5_000;

/**
 * Estimates how far the server's clock is ahead of ours from the times that its frames carry. A frame that was
 * under way for *d* shows *d* too little, so the largest sample is the best one.
 */
export class ServerTime {
  #offsetMs: number | null = null;

  /** Add it to our time to get the server's, in milliseconds; 0 while nothing is known. */
  get offsetMs(): number {
    return this.#offsetMs ?? 0;
  }

  sample(serverNow: number, now: number): void {
    const offset = serverNow - now;
    const known = this.#offsetMs;
    if (known === null || offset > known || offset < known - CLOCK_SET_MS) this.#offsetMs = offset;
  }

  /** A new connection may lead to another server, with a clock of its own. */
  reset(): void {
    this.#offsetMs = null;
  }
}

import { createSubscriber } from 'svelte/reactivity';

const SECOND_MS = 1_000;

/**
 * The time as state: whatever reads `now` runs again each second, and while nobody reads it no timer runs.
 * `offsetMs` moves it from this machine's clock to the server's.
 */
export class Ticker {
  offsetMs = $state(0);
  readonly #subscribe: () => void;

  constructor() {
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, SECOND_MS);
      return () => clearInterval(timer);
    });
  }

  /** Milliseconds since the Unix epoch, by the server's clock. */
  get now(): number {
    this.#subscribe();
    return Date.now() + this.offsetMs;
  }
}

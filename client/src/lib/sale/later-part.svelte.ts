const RETRY_MS = 3_000;

/**
 * A part of the page that is fetched when the buyer comes near it. Where the network is away, it is tried again until
 * the part is there or the page is left.
 */
export class LaterPart<T> {
  readonly #import: () => Promise<T>;
  #content = $state.raw<T | null>(null);
  #missed = $state(false);
  #wanted = false;
  #left = false;

  constructor(importIt: () => Promise<T>) {
    this.#import = importIt;
  }

  /** Null until it is there. */
  get content(): T | null {
    return this.#content;
  }

  /** Whether the last try failed: worth telling somebody who waits for it. */
  get missed(): boolean {
    return this.#missed;
  }

  /** Fetches it, unless it is there or on its way. Resolves when it is there, or the page was left. */
  async fetch(): Promise<void> {
    if (this.#wanted) return;
    this.#wanted = true;
    while (!this.#content && !this.#left) {
      try {
        this.#content = await this.#import();
        this.#missed = false;
      } catch {
        this.#missed = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** The page was left: what is not there is needed no more. */
  leave(): void {
    this.#left = true;
  }
}

import type { Clock } from '@stampede/shared/platform/clock.ts';

/** A person with two busy thumbs sends fewer; a script that sends more waits. */
const MESSAGES_PER_SECOND = 30;
const MESSAGES_BURST = 60;
const MS_PER_SECOND = 1_000;

/** What one socket may say: a token bucket in three numbers, because every message pays for the check. */
export class MessageBudget {
  readonly #clock: Clock;
  #left = MESSAGES_BURST;
  #countedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.now();
  }

  /** Milliseconds until the next message is welcome; 0 if this one is, and then it is counted. */
  spend(): number {
    const now = this.#clock.now();
    // A machine's clock may be set back; that must not cost the buyer what they had.
    const earned = (Math.max(0, now - this.#countedAt) / MS_PER_SECOND) * MESSAGES_PER_SECOND;
    this.#left = Math.min(MESSAGES_BURST, this.#left + earned);
    this.#countedAt = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / MESSAGES_PER_SECOND) * MS_PER_SECOND);
    this.#left -= 1;
    return 0;
  }
}

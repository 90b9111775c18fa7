import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { encodeSummaries } from '@stampede/shared/seat-map/section-summary.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { ShowId } from '../platform/ids.ts';
import type { Audience } from './audience.ts';
import type { SeatBoard } from './seat-board.ts';

const INTERVAL_MS = 1_000;
const SLOT_MS = 50;
/** About a millisecond of sending: nobody's answer waits longer behind it. */
const SENDS_PER_SLOT_MAX = 200;
/** So many that one of them is still a small part of a node full of sockets. */
const GROUPS = 64;

/**
 * The topics of everybody who entered a show. Each socket listens to one of them: a frame for all, sent in one go to
 * 8,000 sockets, would keep every answer of the node waiting for 50 ms.
 */
export function showTopics(show: ShowId): readonly string[] {
  return Array.from({ length: GROUPS }, (_, group) => `show/${show}/group/${group}`);
}

/**
 * Tells everybody in a show how many seats the sections have left that changed: in rounds, at most one a second, group
 * after group, so that answers to clicks find room in between. On a node with very many sockets a round takes longer;
 * whoever comes late in it gets the numbers of that moment.
 */
export class SummaryRounds {
  readonly #board: SeatBoard;
  readonly #audience: Audience;
  readonly #clock: Clock;
  readonly #topics: readonly string[];
  #lastRoundAt = 0;
  /** What the round under way is about, and how far it has come. */
  #sections: readonly number[] = [];
  #nextGroup = 0;
  /** Calls off what is planned; null while nothing is. */
  #cancel: (() => void) | null = null;

  constructor(show: ShowId, board: SeatBoard, audience: Audience, clock: Clock) {
    this.#board = board;
    this.#audience = audience;
    this.#clock = clock;
    this.#topics = showTopics(show);
  }

  /** To be called after the board changed. */
  wake(): void {
    this.#cancel ??= this.#clock.after(restOf(INTERVAL_MS, this.#lastRoundAt, this.#clock.now()), () =>
      this.#begin(),
    );
  }

  stop(): void {
    this.#cancel?.();
  }

  #begin(): void {
    this.#lastRoundAt = this.#clock.now();
    this.#sections = this.#board.takeChangedSummaries();
    this.#nextGroup = 0;
    this.#cancel = null;
    if (this.#sections.length > 0) this.#sendSlot();
  }

  #sendSlot(): void {
    const frame = encodeServerMessage({
      type: 'summary',
      sections: encodeSummaries(this.#board.summariesOf(this.#sections)),
    });
    let sends = 0;
    for (const topic of this.#topics.slice(this.#nextGroup)) {
      if (sends >= SENDS_PER_SLOT_MAX) break;
      this.#nextGroup += 1;
      const listeners = this.#audience.size(topic);
      if (listeners > 0) this.#audience.publish(topic, frame);
      sends += listeners;
    }
    this.#cancel = null;
    if (this.#nextGroup < this.#topics.length) {
      this.#cancel = this.#clock.after(SLOT_MS, () => this.#sendSlot());
    } else {
      // What changed meanwhile is for the next round; if nothing did, that one ends at once.
      this.wake();
    }
  }
}

/**
 * Milliseconds left of an interval that began at an instant; never more than all of it, though the clock be set back.
 */
export function restOf(intervalMs: number, beganAt: number, now: number): number {
  return Math.min(intervalMs, Math.max(0, beganAt + intervalMs - now));
}

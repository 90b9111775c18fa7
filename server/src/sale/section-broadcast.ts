import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { encodeSectionDelta } from '@stampede/shared/seat-map/section-delta.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { ShowId } from '../platform/ids.ts';
import type { Audience } from './audience.ts';
import type { SeatBoard, SectionChanges } from './seat-board.ts';
import { restOf, SummaryRounds } from './summary-rounds.ts';

/** What watchers of one section of a show listen to. */
export function sectionTopic(show: ShowId, section: number): string {
  return `show/${show}/section/${section}`;
}

const TICK_MIN_MS = 50;
const TICK_MAX_MS = 500;
/** Two thirds of what one core was measured to send, so that answers to clicks find room between broadcasts. */
const SENDS_PER_SECOND_MAX = 100_000;
const MS_PER_SECOND = 1_000;

/**
 * Tells the watchers of a show what changed: on each tick one frame per changed section, encoded once however many
 * watch. A tick lasts as long as its sends are worth at `SENDS_PER_SECOND_MAX`; after a quiet time the first change
 * goes out at once, and while nothing changes nothing runs.
 */
export class SectionBroadcast {
  readonly #show: ShowId;
  readonly #board: SeatBoard;
  readonly #audience: Audience;
  readonly #clock: Clock;
  #tickMs = TICK_MIN_MS;
  #lastTickAt = 0;
  #cancelTick: (() => void) | null = null;
  readonly #summaries: SummaryRounds;

  constructor(show: ShowId, board: SeatBoard, audience: Audience, clock: Clock) {
    this.#show = show;
    this.#board = board;
    this.#audience = audience;
    this.#clock = clock;
    this.#summaries = new SummaryRounds(show, board, audience, clock);
  }

  /** To be called after the board changed. */
  wake(): void {
    if (!this.#board.hasUnsent) return;
    const restMs = restOf(this.#tickMs, this.#lastTickAt, this.#clock.now());
    this.#cancelTick ??= this.#clock.after(restMs, () => {
      this.#cancelTick = null;
      this.#tick();
    });
    this.#summaries.wake();
  }

  /** Sends what is unsent of one section now, because somebody is about to get a snapshot that contains it. */
  flush(section: number): void {
    const changes = this.#board.takeUnsentOf(section);
    if (changes) this.#send(changes);
  }

  stop(): void {
    this.#cancelTick?.();
    this.#summaries.stop();
  }

  #tick(): void {
    this.#lastTickAt = this.#clock.now();
    let sends = 0;
    for (const changes of this.#board.takeUnsent()) sends += this.#send(changes);
    const worthMs = (sends / SENDS_PER_SECOND_MAX) * MS_PER_SECOND;
    this.#tickMs = Math.min(TICK_MAX_MS, Math.max(TICK_MIN_MS, worthMs));
  }

  #send({ section, sequence, changes }: SectionChanges): number {
    const topic = sectionTopic(this.#show, section);
    const watchers = this.#audience.size(topic);
    if (watchers === 0) return 0;
    this.#audience.publish(topic, deltaFrame({ section, sequence, changes }));
    return watchers;
  }
}

/** The `delta` frame of a section's changes. */
export function deltaFrame({ section, sequence, changes }: SectionChanges): Uint8Array {
  return encodeServerMessage({ type: 'delta', section, sequence, changes: encodeSectionDelta(changes) });
}

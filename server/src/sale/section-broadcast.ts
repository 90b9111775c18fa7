import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { encodeSectionDelta } from '@stampede/shared/seat-map/section-delta.ts';
import { encodeSummaries } from '@stampede/shared/seat-map/section-summary.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { ShowId } from '../platform/ids.ts';
import type { SeatBoard, SectionChanges } from './seat-board.ts';

/** The sockets of this node, by topic. */
export interface Audience {
  publish(topic: string, frame: Uint8Array): void;
  /** Sockets that a publish to this topic reaches. */
  size(topic: string): number;
}

/** What watchers of one section of a show listen to. */
export function sectionTopic(show: ShowId, section: number): string {
  return `show/${show}/section/${section}`;
}

/**
 * The topics of everybody who entered a show. Each socket listens to one of them: a frame for all, sent in one go to
 * 8,000 sockets, would keep every answer of the node waiting for 50 ms.
 */
function showTopics(show: ShowId): readonly string[] {
  return Array.from({ length: SHOW_TOPICS }, (_, group) => `show/${show}/group/${group}`);
}

const TICK_MIN_MS = 50;
const TICK_MAX_MS = 500;
/** Two thirds of what one core was measured to send, so that answers to clicks find room between broadcasts. */
const SENDS_PER_SECOND_MAX = 100_000;
const MS_PER_SECOND = 1_000;

const ROUND_MS = 1_000;
const SLOT_MS = 50;
/** About a millisecond of sending: nobody's answer waits longer behind it. */
const SENDS_PER_SLOT_MAX = 200;
/** So many that one of them is still a small part of a node full of sockets. */
const SHOW_TOPICS = 64;

/**
 * Tells the watchers of a show what changed: on each tick one frame per changed section, encoded once however many
 * watch. A tick lasts as long as its sends are worth at `SENDS_PER_SECOND_MAX`; after a quiet time the first change
 * goes out at once, and while nothing changes nothing runs.
 */
export class SectionBroadcast {
  /** Everybody in the show listens to one of them. */
  readonly topics: readonly string[];
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
    this.topics = showTopics(show);
    this.#summaries = new SummaryRounds(this.topics, board, audience, clock);
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

/**
 * Tells everybody in a show how many seats the sections have left that changed: in rounds, at most one a second, group
 * after group, so that answers to clicks find room in between. On a node with very many sockets a round takes longer;
 * whoever comes late in it gets the numbers of that moment.
 */
class SummaryRounds {
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

  constructor(topics: readonly string[], board: SeatBoard, audience: Audience, clock: Clock) {
    this.#topics = topics;
    this.#board = board;
    this.#audience = audience;
    this.#clock = clock;
  }

  /** To be called after the board changed. */
  wake(): void {
    this.#cancel ??= this.#clock.after(restOf(ROUND_MS, this.#lastRoundAt, this.#clock.now()), () =>
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
function restOf(intervalMs: number, beganAt: number, now: number): number {
  return Math.min(intervalMs, Math.max(0, beganAt + intervalMs - now));
}

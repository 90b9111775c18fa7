import type { Clock } from '@stampede/shared/platform/clock.ts';
import { showKey } from '../platform/redis-keys.ts';
import { listOf, PackingError } from '../platform/redis-packing.ts';
import type { RedisClient } from '../platform/redis.ts';
import type { FollowedShow, StreamEntry } from './redis-followed-show.ts';

/** A wait ends by itself after this, and the histories are compared: nothing relies on being woken. */
export const TAIL_WAIT_MS = 5_000;
/** Stream entries of one show in one answer. */
const ENTRIES_PER_READ = 500;
const RETRY_DELAY_MIN_MS = 50;
const RETRY_DELAY_MAX_MS = 1_000;
/** Between two tries to wake a connection that may not have begun to wait yet. */
const WAKE_AGAIN_MS = 5;

export interface FeedTailParts {
  /** A connection that nobody else uses: it waits most of the time. */
  readonly waiting: RedisClient;
  /** Another connection, to wake that one. */
  readonly waker: RedisClient;
  readonly clock: Clock;
  readonly onTrouble: (cause: unknown) => void;
}

/** Waits for new entries of any number of shows on one connection, and hands them on. */
export class FeedTail {
  readonly shows = new Set<FollowedShow>();
  readonly #waiting: RedisClient;
  readonly #waker: RedisClient;
  readonly #clock: Clock;
  readonly #onTrouble: (cause: unknown) => void;
  #isRunning = false;
  #isStopped = false;
  #connectionId: number | null = null;
  /** Rises with each change of `shows`; the wait under way knows the shows of `#waitsFor`. */
  #revision = 0;
  #waitsFor = 0;

  constructor({ waiting, waker, clock, onTrouble }: FeedTailParts) {
    this.#waiting = waiting;
    this.#waker = waker;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  add(show: FollowedShow): void {
    this.shows.add(show);
    this.#revision += 1;
    if (this.#isRunning) {
      this.#wake();
    } else {
      this.#isRunning = true;
      void this.#run();
    }
  }

  remove(show: FollowedShow): void {
    this.shows.delete(show);
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiting.disconnect();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isOver()) {
      try {
        await this.#readOnce();
        failures = 0;
      } catch (cause) {
        this.#connectionId = null;
        if (this.#isOver()) break;
        this.#onTrouble(cause);
        const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MIN_MS * 2 ** Math.min(failures, 10));
        failures += 1;
        await new Promise<void>((resolve) => void this.#clock.after(delayMs, resolve));
      }
    }
    this.#isRunning = false;
  }

  #isOver(): boolean {
    return this.#isStopped || this.shows.size === 0;
  }

  async #readOnce(): Promise<void> {
    if (this.#connectionId === null) {
      if (this.#waiting.status === 'wait') await this.#waiting.connect();
      const id = Number(await this.#waiting.call('CLIENT', 'ID'));
      // What was there while nobody waited. Whoever answers now may be another server, with another history.
      await this.#compareAll();
      this.#connectionId = id;
    }
    this.#waitsFor = this.#revision;
    const shows = [...this.shows];
    const keys = shows.map(({ show }) => showKey(show, 'feed'));
    const positions = shows.map(({ position }) => `${position.epoch}-${position.number}`);
    const block = ['COUNT', ENTRIES_PER_READ, 'BLOCK', TAIL_WAIT_MS, 'STREAMS', ...keys, ...positions];
    const answer = await this.#waiting.callBuffer('XREAD', block);
    if (answer === null) {
      if (this.#waitsFor === this.#revision) await this.#compareAll();
      return;
    }
    const byKey = new Map(shows.map((show, index) => [keys[index], show]));
    for (const stream of listOf(answer)) {
      const [key, entries] = listOf(stream);
      const show = byKey.get(String(key));
      if (show && !show.take(listOf(entries).map(streamEntryOf))) await show.catchUp();
    }
  }

  async #compareAll(): Promise<void> {
    for (const show of this.shows) await show.catchUp();
  }

  /** Ends the wait under way, so that the next one is for the shows as they are now. */
  #wake(): void {
    const id = this.#connectionId;
    if (this.#isStopped || id === null || this.#waitsFor === this.#revision) return;
    // It may be about to wait, and not be waiting yet. Redis being away ends its wait by itself.
    this.#waker.call('CLIENT', 'UNBLOCK', id).catch(() => undefined);
    this.#clock.after(WAKE_AGAIN_MS, () => this.#wake());
  }
}

function streamEntryOf(entry: unknown): StreamEntry {
  const [id, fields] = listOf(entry);
  const [epoch, number] = String(id).split('-').map(Number);
  if (epoch === undefined || number === undefined) throw new PackingError('a stream entry', entry);
  return { epoch, number, bytes: listOf(fields)[1] };
}

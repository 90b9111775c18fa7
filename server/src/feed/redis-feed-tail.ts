import type { ShowId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { showKey } from '../platform/redis-keys.ts';
import { listOf, PackingError } from '../platform/redis-packing.ts';
import type { RedisClient } from '../platform/redis.ts';
import { retry } from '../platform/retry.ts';

/** A wait ends by itself after this, and the histories are compared: nothing relies on being woken. */
export const TAIL_WAIT_MS = 5_000;
/** Stream entries of one show in one answer. */
const ENTRIES_PER_READ = 500;
const BACKOFF = { firstMs: 50, maxMs: 1_000 };
/** Between two tries to wake a connection that may not have begun to wait yet. */
const WAKE_AGAIN_MS = 5;

/** An entry of the stream as it was read; `bytes` are packed. */
export interface StreamEntry {
  readonly epoch: number;
  readonly number: number;
  readonly bytes: unknown;
}

/** A stream that is waited for. */
export interface TailedStream {
  readonly show: ShowId;
  /** Up to where it was read. */
  readonly position: { readonly epoch: number; readonly number: number };
  /** Uses entries in their order; false if they don't go on where this one stands: then it has to catch up. */
  take(entries: readonly StreamEntry[]): boolean;
  catchUp(): Promise<boolean>;
}

export interface FeedTailParts {
  /** A connection that nobody else uses: it waits most of the time. */
  readonly waiting: RedisClient;
  /** Another connection, to wake that one. */
  readonly waker: RedisClient;
  readonly outside: Pick<Outside, 'clock' | 'random'>;
  readonly onTrouble: (cause: unknown) => void;
}

/** Waits for new entries of any number of shows on one connection, and hands them on. */
export class FeedTail {
  readonly #streams = new Set<TailedStream>();
  readonly #parts: FeedTailParts;
  readonly #stopping = new AbortController();
  #isRunning = false;
  #connectionId: number | null = null;
  /** Rises with each change of `#streams`; the wait under way knows those of `#waitsFor`. */
  #revision = 0;
  #waitsFor = 0;

  constructor(parts: FeedTailParts) {
    this.#parts = parts;
  }

  add(stream: TailedStream): void {
    this.#streams.add(stream);
    this.#revision += 1;
    if (this.#isRunning) {
      this.#wake();
    } else {
      this.#isRunning = true;
      void this.#run();
    }
  }

  remove(stream: TailedStream): void {
    this.#streams.delete(stream);
  }

  stop(): void {
    this.#stopping.abort();
    this.#parts.waiting.disconnect();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { outside, onTrouble } = this.#parts;
    const readOn = async (): Promise<void> => {
      try {
        await this.#readOnce();
      } catch (cause) {
        this.#connectionId = null;
        if (!this.#isOver) throw cause;
      }
    };
    while (!this.#isOver) {
      // Rejects only when it is ended amid a pause.
      await retry(outside, { backoff: BACKOFF, signal, onTrouble }, readOn).catch(() => undefined);
    }
    this.#isRunning = false;
  }

  get #isOver(): boolean {
    return this.#stopping.signal.aborted || this.#streams.size === 0;
  }

  async #readOnce(): Promise<void> {
    const { waiting } = this.#parts;
    if (this.#connectionId === null) {
      if (waiting.status === 'wait') await waiting.connect();
      const id = Number(await waiting.call('CLIENT', 'ID'));
      // What was there while nobody waited. Whoever answers now may be another server, with another history.
      await this.#compareAll();
      this.#connectionId = id;
    }
    this.#waitsFor = this.#revision;
    const streams = [...this.#streams];
    const keys = streams.map(({ show }) => showKey(show, 'feed'));
    const positions = streams.map(({ position }) => `${position.epoch}-${position.number}`);
    const block = ['COUNT', ENTRIES_PER_READ, 'BLOCK', TAIL_WAIT_MS, 'STREAMS', ...keys, ...positions];
    const answer = await waiting.callBuffer('XREAD', block);
    if (answer === null) {
      if (this.#waitsFor === this.#revision) await this.#compareAll();
      return;
    }
    const byKey = new Map(streams.map((stream, index) => [keys[index], stream]));
    for (const one of listOf(answer)) {
      const [key, entries] = listOf(one);
      const stream = byKey.get(String(key));
      if (stream && !stream.take(listOf(entries).map(streamEntryOf))) await stream.catchUp();
    }
  }

  async #compareAll(): Promise<void> {
    for (const stream of this.#streams) await stream.catchUp();
  }

  /** Ends the wait under way, so that the next one is for the shows as they are now. */
  #wake(): void {
    const id = this.#connectionId;
    if (this.#stopping.signal.aborted || id === null || this.#waitsFor === this.#revision) return;
    // It may be about to wait, and not be waiting yet. Redis being away ends its wait by itself.
    this.#parts.waker.call('CLIENT', 'UNBLOCK', id).catch(() => undefined);
    this.#parts.outside.clock.after(WAKE_AGAIN_MS, () => this.#wake());
  }
}

function streamEntryOf(entry: unknown): StreamEntry {
  const [id, fields] = listOf(entry);
  const [epoch, number] = String(id).split('-').map(Number);
  if (epoch === undefined || number === undefined) throw new PackingError('a stream entry', entry);
  return { epoch, number, bytes: listOf(fields)[1] };
}

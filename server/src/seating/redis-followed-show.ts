import type { ShowId } from '../platform/ids.ts';
import { feedEntriesOf } from './redis-feed-entry.ts';
import type { HistoryBase, HistoryPart } from './redis-feed-scripts.ts';
import type { FeedBase, FeedEntry, FeedFollower } from './show-feed.ts';

/** An entry of the stream as it was read; `bytes` are packed. */
export interface StreamEntry {
  readonly epoch: number;
  readonly number: number;
  readonly bytes: unknown;
}

/** What a followed show needs of the feed. */
export interface HistorySource {
  read(show: ShowId, knownEpoch: number, knownNumber: number): Promise<HistoryPart | null>;
  /** Called after entries were applied. */
  onApplied(show: FollowedShow): void;
  /** Called where an entry told something that only a newer version knows. */
  onUnknownNotice(): void;
  /** Called where the history that was followed isn't there any more. */
  onLost(): void;
}

/**
 * What this node knows of one show's history, and who is told of it. Everything read goes through `take` or
 * `takePart`, which use an entry only if it is the very next one: nothing is applied twice and no gap is passed
 * over [P5], whoever read what first. Every node counts the sequences from the same entries, so they are the same
 * everywhere, and no script has to count them.
 */
export class FollowedShow {
  readonly show: ShowId;
  readonly #source: HistorySource;
  readonly #followers = new Set<FeedFollower>();
  #epoch = 0;
  #number = 0;
  #statuses: Uint8Array = new Uint8Array();
  #sequences: number[] = [];
  #sectionOf: Uint16Array = new Uint16Array();
  /** Number of the newest checkpoint known of. */
  #checkpoint = 0;
  #catchingUp: Promise<unknown> = Promise.resolve();

  constructor(show: ShowId, source: HistorySource) {
    this.show = show;
    this.#source = source;
  }

  get position(): { readonly epoch: number; readonly number: number } {
    return { epoch: this.#epoch, number: this.#number };
  }

  get entriesSinceCheckpoint(): number {
    return this.#number - this.#checkpoint;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  base(): FeedBase {
    return { epoch: this.#epoch, statuses: this.#statuses.slice(), sequences: [...this.#sequences] };
  }

  /** Gives a follower a base that contains everything written before this call. Rejects without a history. */
  async add(follower: FeedFollower): Promise<void> {
    if (!(await this.catchUp())) throw new Error(`show ${this.show} has no feed: it was never opened`);
    follower.onBase(this.base());
    this.#followers.add(follower);
  }

  remove(follower: FeedFollower): void {
    this.#followers.delete(follower);
  }

  /** There is a checkpoint after this entry of this epoch. */
  noteCheckpoint(epoch: number, number: number): void {
    if (epoch === this.#epoch) this.#checkpoint = Math.max(this.#checkpoint, number);
  }

  /** Reads what is missing up to this moment; false where there is no history. One call after the other. */
  catchUp(): Promise<boolean> {
    const turn = this.#catchingUp.then(async () => {
      const part = await this.#source.read(this.show, this.#epoch, this.#number);
      if (part) this.#takePart(part);
      else if (this.#epoch > 0) this.#source.onLost();
      return part !== null;
    });
    this.#catchingUp = turn.catch(() => undefined);
    return turn;
  }

  /** Uses entries of the stream, in order; false if they don't go on where this node stands: then catch up. */
  take(entries: readonly StreamEntry[]): boolean {
    const next: unknown[] = [];
    let isWhole = true;
    for (const { epoch, number, bytes } of entries) {
      const expected = this.#number + next.length + 1;
      isWhole = epoch === this.#epoch && number <= expected;
      if (!isWhole) break;
      if (number === expected) next.push(bytes);
    }
    this.#apply(next);
    return isWhole;
  }

  #takePart({ epoch, number, base, entries }: HistoryPart): void {
    if (base) {
      // Given only where nothing else helps: taken whatever it is called, or an epoch that comes twice would keep old
      // seats on every screen.
      this.#reset(epoch, number, base);
      this.#apply(entries);
    } else if (epoch === this.#epoch && number <= this.#number) {
      this.#apply(entries.slice(this.#number - number));
    }
  }

  #reset(epoch: number, number: number, { statuses, sequences, sectionOf }: HistoryBase): void {
    this.#epoch = epoch;
    this.#number = number;
    this.#checkpoint = number;
    this.#statuses = statuses;
    this.#sequences = sequences;
    this.#sectionOf = sectionOf;
    this.#tell((follower) => follower.onBase(this.base()));
  }

  #apply(packed: readonly unknown[]): void {
    if (packed.length === 0) return;
    const entries: FeedEntry[] = packed.flatMap((bytes) =>
      feedEntriesOf(bytes, () => this.#source.onUnknownNotice()),
    );
    this.#number += packed.length;
    for (const { changes } of entries) {
      for (const { seat, status } of changes) {
        this.#statuses[seat] = status;
        const section = this.#sectionOf[seat] ?? 0;
        this.#sequences[section] = (this.#sequences[section] ?? 0) + 1;
      }
    }
    if (entries.length > 0) this.#tell((follower) => follower.onEntries(entries));
    this.#source.onApplied(this);
  }

  #tell(call: (follower: FeedFollower) => void): void {
    for (const follower of [...this.#followers]) {
      // One of them may have ended another's following, or its own.
      if (this.#followers.has(follower)) call(follower);
    }
  }
}

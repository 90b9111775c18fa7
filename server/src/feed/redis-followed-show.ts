import type { ShowId } from '../platform/ids.ts';
import { feedEntriesOf } from './redis-feed-entry.ts';
import type { HistoryPart } from './redis-feed-scripts.ts';
import type { StreamEntry, TailedStream } from './redis-feed-tail.ts';
import { type FeedBase, type FeedFollower, type SeatChange, UnknownFeedError } from './show-feed.ts';

/** What a followed show needs of Redis, and whom it tells. */
export interface FollowedShowParts {
  /** What follows an entry; a base first, where that doesn't help. Null where there is no history. */
  readonly read: (knownEpoch: number, knownNumber: number) => Promise<HistoryPart | null>;
  /** Called where an entry told something that only a newer version knows. */
  readonly onUnknownNotice: () => void;
  /** Called where the history that was followed isn't there any more. */
  readonly onLost: () => void;
  /** Called after entries were told, with how many were since the newest checkpoint that is known of. */
  readonly onFarFrom: (entries: number) => void;
}

/**
 * How far this node has read one show's history; what it says is its followers'. Everything read goes through `take` or
 * `catchUp`, which use an entry only if it is the very next one: nothing is told twice and no gap is passed over [P5],
 * whoever read what first. Every node counts the sequences from the same entries, so they are the same everywhere, and
 * no script has to count them.
 */
export class FollowedShow implements TailedStream {
  readonly show: ShowId;
  readonly #parts: FollowedShowParts;
  readonly #followers = new Set<FeedFollower>();
  #epoch = 0;
  #number = 0;
  /** Number of the newest checkpoint known of. */
  #checkpoint = 0;
  /** Followers that are about to be. */
  #joining = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(show: ShowId, parts: FollowedShowParts) {
    this.show = show;
    this.#parts = parts;
  }

  get position(): { readonly epoch: number; readonly number: number } {
    return { epoch: this.#epoch, number: this.#number };
  }

  get isFollowed(): boolean {
    return this.#followers.size + this.#joining > 0;
  }

  /** What is followed as far as `position`; null while nobody follows. */
  base(): FeedBase | null {
    const [first] = this.#followers;
    return first?.base() ?? null;
  }

  /** There is a checkpoint after this entry of this epoch. */
  noteCheckpoint(epoch: number, number: number): void {
    if (epoch === this.#epoch) this.#checkpoint = Math.max(this.#checkpoint, number);
  }

  /** Gives a follower a base that contains everything written before this call. Rejects without a history. */
  async add(follower: FeedFollower): Promise<void> {
    this.#joining += 1;
    try {
      await this.#inTurn(async () => {
        const isThere = this.#followers.size === 0 || (await this.#readOn());
        const base = this.base() ?? (isThere ? await this.#begin(follower.sectionOf) : null);
        if (!isThere || !base) throw new UnknownFeedError(this.show);
        follower.onBase(base);
        this.#followers.add(follower);
      });
    } finally {
      this.#joining -= 1;
    }
  }

  remove(follower: FeedFollower): void {
    this.#followers.delete(follower);
  }

  /** Reads what is missing up to this moment; false where there is no history. One call after the other. */
  catchUp(): Promise<boolean> {
    return this.#inTurn(() => this.#readOn());
  }

  take(entries: readonly StreamEntry[]): boolean {
    const next: unknown[] = [];
    let isWhole = true;
    for (const { epoch, number, bytes } of entries) {
      const expected = this.#number + next.length + 1;
      isWhole = epoch === this.#epoch && number <= expected;
      if (!isWhole) break;
      if (number === expected) next.push(bytes);
    }
    this.#tell(next);
    return isWhole;
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(call);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** The seats as they are now: what was said before is nothing to whoever begins. Null without a history. */
  async #begin(sectionOf: Uint16Array): Promise<FeedBase | null> {
    const part = await this.#parts.read(0, 0);
    if (!part?.base) return null;
    const { statuses, sequences } = part.base;
    const counted = [...sequences];
    for (const { seat, status } of changesOf(part.entries)) {
      statuses[seat] = status;
      const section = sectionOf[seat] ?? 0;
      counted[section] = (counted[section] ?? 0) + 1;
    }
    this.#stand(part.epoch, part.number);
    this.#number += part.entries.length;
    return { epoch: part.epoch, statuses, sequences: counted };
  }

  async #readOn(): Promise<boolean> {
    const part = await this.#parts.read(this.#epoch, this.#number);
    if (part) this.#takePart(part);
    else this.#parts.onLost();
    return part !== null;
  }

  #takePart({ epoch, number, base, entries }: HistoryPart): void {
    if (base) {
      // Given only where nothing else helps: taken whatever it is called, or an epoch that comes twice would keep old
      // seats on every screen.
      this.#stand(epoch, number);
      const { statuses, sequences } = base;
      this.#forEach((follower) => follower.onBase({ epoch, statuses: statuses.slice(), sequences }));
      this.#tell(entries);
    } else if (epoch === this.#epoch && number <= this.#number) {
      this.#tell(entries.slice(this.#number - number));
    }
  }

  /** At a checkpoint. */
  #stand(epoch: number, number: number): void {
    this.#epoch = epoch;
    this.#number = number;
    this.#checkpoint = number;
  }

  #tell(packed: readonly unknown[]): void {
    if (packed.length === 0) return;
    const entries = packed.flatMap((bytes) => feedEntriesOf(bytes, this.#parts.onUnknownNotice));
    this.#number += packed.length;
    if (entries.length > 0) this.#forEach((follower) => follower.onEntries(entries));
    this.#parts.onFarFrom(this.#number - this.#checkpoint);
  }

  #forEach(call: (follower: FeedFollower) => void): void {
    for (const follower of [...this.#followers]) {
      // One of them may have ended another's following, or its own.
      if (this.#followers.has(follower)) call(follower);
    }
  }
}

/** The seat changes of packed entries, in their order. */
export function changesOf(packed: readonly unknown[]): readonly SeatChange[] {
  return packed.flatMap((bytes) => feedEntriesOf(bytes)).flatMap(({ changes }) => changes);
}

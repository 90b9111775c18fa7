import type { ShowId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import {
  type FeedBase,
  type FeedEntry,
  type FeedFollower,
  type ShowFeed,
  UnknownFeedError,
} from './show-feed.ts';

interface History {
  readonly epoch: number;
  /** The store's own: what they say now is what was published. */
  readonly statuses: Uint8Array;
  /** Counted here, because a show's board goes with its last buyer, and a buyer who comes back knows a sequence. */
  readonly sequences: number[];
  readonly sectionOf: Uint16Array;
  readonly followers: Set<FeedFollower>;
  /** Written but not delivered yet. */
  undelivered: FeedEntry[];
}

/**
 * The feed of an in-process store. Entries are delivered after the current turn of the event loop, all at once:
 * the one who caused a change has its answer before the feed tells everybody, and a burst costs one delivery.
 */
export class MemoryShowFeed implements ShowFeed {
  readonly #outside: Pick<Outside, 'nextTurn'>;
  readonly #histories = new Map<ShowId, History>();

  constructor(outside: Pick<Outside, 'nextTurn'>) {
    this.#outside = outside;
  }

  /** Begins a history of seats whose statuses the store keeps. Followers of an earlier one start anew from here. */
  begin(show: ShowId, base: Omit<FeedBase, 'sequences'>, sectionOf: Uint16Array, sectionCount: number): void {
    const before = this.#histories.get(show);
    // What the earlier history still has to say belongs before the new base, not after it.
    if (before) this.#deliver(before);
    const history: History = {
      epoch: base.epoch,
      statuses: base.statuses,
      sequences: new Array<number>(sectionCount).fill(0),
      sectionOf,
      followers: before?.followers ?? new Set(),
      undelivered: [],
    };
    this.#histories.set(show, history);
    for (const follower of history.followers) follower.onBase(baseOf(history));
  }

  /** Appends what one atomic step has changed. */
  publish(show: ShowId, entry: FeedEntry): void {
    const history = this.#history(show);
    for (const { seat } of entry.changes) {
      const section = history.sectionOf[seat] ?? 0;
      history.sequences[section] = (history.sequences[section] ?? 0) + 1;
    }
    if (history.undelivered.length === 0) this.#outside.nextTurn(() => this.#deliver(history));
    history.undelivered.push(entry);
  }

  async read(show: ShowId): Promise<Uint8Array> {
    return this.#history(show).statuses.slice();
  }

  async follow(show: ShowId, follower: FeedFollower): Promise<() => void> {
    const history = this.#history(show);
    // What is written but undelivered is part of the base: it must not reach this follower a second time.
    this.#deliver(history);
    follower.onBase(baseOf(history));
    history.followers.add(follower);
    return () => {
      history.followers.delete(follower);
    };
  }

  #history(show: ShowId): History {
    const history = this.#histories.get(show);
    if (!history) throw new UnknownFeedError(show);
    return history;
  }

  #deliver(history: History): void {
    const entries = history.undelivered;
    if (entries.length === 0) return;
    history.undelivered = [];
    for (const follower of history.followers) follower.onEntries(entries);
  }
}

function baseOf(history: History): FeedBase {
  return { epoch: history.epoch, statuses: history.statuses.slice(), sequences: [...history.sequences] };
}

import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { ShowId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import { type FeedRecord, numberDrafts, positionsOf, readBase, readRecords } from './mysql-feed-rows.ts';
import type { FeedBase, FeedFollower, ShowFeed } from './show-feed.ts';

export interface MysqlShowFeedParts {
  readonly database: Database;
  readonly clock: Clock;
  /** Told of what went wrong and is being tried again. */
  readonly report: (message: string, cause: unknown) => void;
}

/** How late this node hears of what others did; for what it did itself, `wake` is quicker. */
const POLL_INTERVAL_MS = 50;

/**
 * The feed in MySQL: one look at the positions of all followed shows a tick, and a read where something is new.
 * Whoever looks first numbers what steps have written since (see `numberDrafts`).
 */
export class MysqlShowFeed implements ShowFeed {
  readonly #parts: MysqlShowFeedParts;
  readonly #shows = new Map<ShowId, FollowedShow>();
  readonly #stop: () => Promise<void>;
  #isTroubled = false;

  constructor(parts: MysqlShowFeedParts) {
    this.#parts = parts;
    this.#stop = repeat(
      parts.clock,
      POLL_INTERVAL_MS,
      () => this.#poll(),
      (cause) => this.#reportOnce(cause),
    );
  }

  async follow(show: ShowId, follower: FeedFollower): Promise<() => void> {
    const followed = this.#shows.get(show) ?? new FollowedShow(this.#parts.database, show);
    this.#shows.set(show, followed);
    try {
      await followed.add(follower);
    } finally {
      this.#dropUnfollowed(followed);
    }
    return () => {
      followed.remove(follower);
      this.#dropUnfollowed(followed);
    };
  }

  /** Something was written to a show's feed by this node. */
  wake(show: ShowId): void {
    this.#shows
      .get(show)
      ?.catchUp()
      .catch((cause: unknown) => this.#reportOnce(cause));
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    await this.#stop();
    await Promise.allSettled([...this.#shows.values()].map((followed) => followed.idle()));
  }

  #dropUnfollowed(followed: FollowedShow): void {
    if (!followed.isFollowed && this.#shows.get(followed.show) === followed)
      this.#shows.delete(followed.show);
  }

  /** A database that is away is told of once, not twenty times a second. */
  #reportOnce(cause: unknown): void {
    if (!this.#isTroubled) this.#parts.report('the feed could not be read', cause);
    this.#isTroubled = true;
  }

  async #poll(): Promise<void> {
    const followed = [...this.#shows.values()];
    const positions = await positionsOf(
      this.#parts.database.entities(),
      followed.map((one) => one.show),
    );
    const behind = followed.filter((one) => {
      const at = positions.get(one.show);
      return at && (at.hasDrafts || !one.isAt(at.epoch, at.position));
    });
    await Promise.all(behind.map((one) => one.catchUp()));
    this.#isTroubled = false;
  }
}

/** What this node knows of one show, and who is told of it. */
class FollowedShow {
  readonly show: ShowId;
  readonly #database: Database;
  readonly #followers = new Set<FeedFollower>();
  #joining = 0;
  #base: FeedBase | null = null;
  #sectionOf: Uint16Array = new Uint16Array();
  #position = 0;
  #running: Promise<boolean> = Promise.resolve(false);
  #next: Promise<boolean> | null = null;

  constructor(database: Database, show: ShowId) {
    this.#database = database;
    this.show = show;
  }

  get isFollowed(): boolean {
    return this.#followers.size + this.#joining > 0;
  }

  isAt(epoch: number, position: number): boolean {
    return this.#base?.epoch === epoch && this.#position === position;
  }

  /** Gives a follower a base with everything written before this call. Rejects without a history. */
  async add(follower: FeedFollower): Promise<void> {
    this.#joining += 1;
    try {
      const isThere = await this.catchUp();
      if (!isThere || !this.#base) throw new Error(`show ${this.show} has no feed: it was never opened`);
      follower.onBase(copyOf(this.#base));
      this.#followers.add(follower);
    } finally {
      this.#joining -= 1;
    }
  }

  remove(follower: FeedFollower): void {
    this.#followers.delete(follower);
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  /**
   * Reads everything that is written when it is called; false where there is no history. Calls that come while one
   * waits for its turn share that one.
   */
  catchUp(): Promise<boolean> {
    this.#next ??= this.#running
      .catch(() => false)
      .then(() => {
        this.#next = null;
        this.#running = this.#read();
        return this.#running;
      });
    return this.#next;
  }

  async #read(): Promise<boolean> {
    const at = await this.#database.transaction((entities) => numberDrafts(entities, this.show));
    if (!at) return false;
    if (this.#base?.epoch !== at.epoch || this.#position > at.position) return this.#beginAnew();
    while (this.#position < at.position) {
      const records = await readRecords(this.#database.entities(), this.show, this.#position);
      // A gap: records were deleted before this node read them.
      if (records[0]?.position !== this.#position + 1) return this.#beginAnew();
      this.#apply(records);
    }
    return true;
  }

  async #beginAnew(): Promise<boolean> {
    const read = await this.#database.transaction((entities) => readBase(entities, this.show), {
      reads: 'snapshot',
    });
    if (!read) return false;
    this.#base = read.base;
    this.#sectionOf = read.sectionOf;
    this.#position = read.position;
    for (const follower of this.#followers) follower.onBase(copyOf(read.base));
    return true;
  }

  #apply(records: readonly FeedRecord[]): void {
    const base = this.#base;
    if (!base) return;
    const sequences = [...base.sequences];
    const entries = records.flatMap((record) => record.entries);
    for (const { changes } of entries) {
      for (const { seat, status } of changes) {
        base.statuses[seat] = status;
        const section = this.#sectionOf[seat] ?? 0;
        sequences[section] = (sequences[section] ?? 0) + 1;
      }
    }
    this.#base = { ...base, sequences };
    this.#position = records.at(-1)?.position ?? this.#position;
    for (const follower of this.#followers) follower.onEntries(entries);
  }
}

function copyOf(base: FeedBase): FeedBase {
  return { epoch: base.epoch, statuses: base.statuses.slice(), sequences: [...base.sequences] };
}

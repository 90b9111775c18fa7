import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { ShowId } from '../platform/ids.ts';
import { type Outside, sparingReport } from '../platform/outside.ts';
import { repeat } from '../platform/repeat.ts';
import {
  type FeedBase,
  type FeedEntry,
  type FeedFollower,
  isKnownNotice,
  type ShowFeed,
  UnknownFeedError,
} from './show-feed.ts';

export interface MysqlShowFeedParts {
  readonly database: Database;
  /** Told of what went wrong and is being tried again. */
  readonly outside: Pick<Outside, 'clock' | 'nextTurn' | 'report'>;
}

/** How late this node hears of what others did; for what it did itself, `look` is quicker. */
const POLL_INTERVAL_MS = 50;
/** Records read at once. */
const RECORDS_PER_READ = 200;
/** A follower further behind starts anew from a base. */
const RECORDS_KEPT = 5_000;
const RECORDS_PER_DELETE = 500;

const count = z.int().min(0);
const positionRows = z.array(z.object({ show_id: count, epoch: count, position: count }));
const headRows = z.array(
  z.object({ epoch: count, position: count, seat_count: count, section_count: count }),
);
const seatRows = z.array(z.object({ seat: count, section: count, status: count, changes: count }));
const recordRows = z.array(z.object({ epoch: count, position: count, entries: z.string() }));

interface Position {
  readonly epoch: number;
  readonly position: number;
}

/** Who follows a show, and how far they have heard. */
interface Following extends Position {
  readonly show: ShowId;
  readonly follower: FeedFollower;
  isOver: boolean;
  epoch: number;
  position: number;
}

/**
 * The feed in MySQL: one look at the positions of all followed shows a tick, and a read where something is new. Steps
 * number their records while they have the show's row locked (`appendRecord`), so positions are without gaps, the same
 * for everybody, and rise in the order in which steps commit [P5].
 */
export class MysqlShowFeed implements ShowFeed {
  readonly #database: Database;
  readonly #followings = new Set<Following>();
  readonly #looks: GatheredCalls<null, null>;
  readonly #stop: () => Promise<void>;

  constructor({ database, outside }: MysqlShowFeedParts) {
    this.#database = database;
    // A database that is away is not told of twenty times a second.
    const report = sparingReport(outside);
    const onTrouble = (cause: unknown): void => report('the feed could not be read', cause);
    const look = async (asked: readonly null[]): Promise<readonly null[]> => {
      await this.#catchUpAll().catch(onTrouble);
      return asked;
    };
    this.#looks = new GatheredCalls(look, outside.nextTurn, { itemsMax: Infinity, callsMax: 1 });
    this.#stop = repeat(outside.clock, POLL_INTERVAL_MS, () => this.look(), onTrouble);
  }

  async read(show: ShowId): Promise<Uint8Array> {
    const read = await this.#readBase(show);
    if (!read) throw new UnknownFeedError(show);
    return read.base.statuses;
  }

  async follow(show: ShowId, follower: FeedFollower): Promise<() => void> {
    const following = { show, follower, isOver: false, epoch: 0, position: 0 };
    if (!(await this.#begin(following))) throw new UnknownFeedError(show);
    this.#followings.add(following);
    return () => {
      following.isOver = true;
      this.#followings.delete(following);
    };
  }

  /** Tells followers of everything that is written when it is called. Calls made meanwhile share the look after it. */
  async look(): Promise<void> {
    await this.#looks.add(null);
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    this.#followings.clear();
    await this.#stop();
    await this.look();
  }

  async #catchUpAll(): Promise<void> {
    if (this.#followings.size === 0) return;
    const shows = [...new Set([...this.#followings].map(({ show }) => show))];
    const sql = 'select show_id, epoch, position from live_shows where show_id in (?)';
    const rows = positionRows.parse(await this.#database.entities().execute(sql, [shows]));
    const positions = new Map<number, Position>(rows.map((row) => [row.show_id, row]));
    await Promise.all([...this.#followings].map((one) => this.#catchUp(one, positions.get(one.show) ?? one)));
  }

  async #catchUp(following: Following, to: Position): Promise<void> {
    if (to.epoch !== following.epoch || to.position < following.position) await this.#begin(following);
    while (following.position < to.position) {
      const records = await readRecords(this.#database.entities(), following);
      const isNext = records.every(
        ({ epoch, position }, index) =>
          epoch === following.epoch && position === following.position + index + 1,
      );
      // Deleted before this node read them, or of another history by now.
      if (records.length === 0 || !isNext) {
        await this.#begin(following);
        return;
      }
      following.position += records.length;
      if (!following.isOver) following.follower.onEntries(records.flatMap(({ entries }) => entries));
    }
  }

  /** Starts from the show as it is now; false where there is no history. */
  async #begin(following: Following): Promise<boolean> {
    const read = await this.#readBase(following.show);
    if (!read) return false;
    following.epoch = read.base.epoch;
    following.position = read.position;
    if (!following.isOver) following.follower.onBase(read.base);
    return true;
  }

  #readBase(show: ShowId): ReturnType<typeof readBase> {
    return this.#database.transaction((entities) => readBase(entities, show), { reads: 'snapshot' });
  }
}

/** Writes what a step told the feed, in its own transaction, which must have the row of `live_shows` locked. */
export async function appendRecord(
  entities: SqlEntityManager,
  show: ShowId,
  position: number,
  entries: readonly FeedEntry[],
): Promise<void> {
  const sql = 'insert into live_feed (show_id, position, entries) values (?, ?, ?)';
  await entities.execute(sql, [show, position, JSON.stringify(entries)], 'run');
  // Everybody who follows has long read what is so old.
  if (position <= RECORDS_KEPT || position % RECORDS_PER_DELETE > 0) return;
  const old = 'delete from live_feed where show_id = ? and position <= ?';
  await entities.execute(old, [show, position - RECORDS_KEPT], 'run');
}

/** The next records of a show's feed, in order, each with the epoch that the show is in. */
async function readRecords(
  entities: SqlEntityManager,
  { show, position }: Following,
): Promise<readonly { epoch: number; position: number; entries: readonly FeedEntry[] }[]> {
  const rows: unknown = await entities.execute(
    'select s.epoch, f.position, f.entries from live_feed f join live_shows s on s.show_id = f.show_id ' +
      'where f.show_id = ? and f.position > ? order by f.position limit ?',
    [show, position, RECORDS_PER_READ],
  );
  return recordRows.parse(rows).map((row) => ({
    ...row,
    // `appendRecord` wrote it, and every change of its shape is a migration; but new kinds of notices come with a deploy.
    entries: (JSON.parse(row.entries) as FeedEntry[]).map(({ changes, notice }) => ({
      changes,
      notice: notice && isKnownNotice(notice) ? notice : null,
    })),
  }));
}

/**
 * The show as it is now and the position of the feed's last record that is contained. To be run in a transaction whose
 * reads see one snapshot: both are then of the same moment. Seats without a row were never touched.
 */
async function readBase(
  entities: SqlEntityManager,
  show: ShowId,
): Promise<{ readonly base: FeedBase; readonly position: number } | null> {
  const heads = 'select epoch, position, seat_count, section_count from live_shows where show_id = ?';
  const [head] = headRows.parse(await entities.execute(heads, [show]));
  if (!head) return null;
  const seats = 'select seat, section, status, changes from live_seats where show_id = ?';
  const statuses = new Uint8Array(head.seat_count);
  const sequences = new Array<number>(head.section_count).fill(0);
  for (const { seat, section, status, changes } of seatRows.parse(await entities.execute(seats, [show]))) {
    statuses[seat] = status;
    sequences[section] = (sequences[section] ?? 0) + changes;
  }
  return { base: { epoch: head.epoch, statuses, sequences }, position: head.position };
}

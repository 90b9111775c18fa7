import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import type { ShowId } from '../platform/ids.ts';
import { type FeedBase, type FeedEntry, isKnownNotice } from './show-feed.ts';

/** How far a show's feed is numbered, and of which history it is. */
export interface FeedPosition {
  readonly epoch: number;
  readonly position: number;
}

export interface PositionedBase extends FeedPosition {
  readonly base: FeedBase;
  readonly sectionOf: Uint16Array;
}

export interface FeedRecord {
  readonly position: number;
  readonly entries: readonly FeedEntry[];
}

/** Drafts that become one record of the feed. */
const DRAFTS_PER_RECORD = 500;
/** Records read at once. */
const RECORDS_PER_READ = 200;
/** A follower further behind starts anew from a base. */
const RECORDS_KEPT = 5_000;
const RECORDS_PER_DELETE = 1_000;

const count = z.int().min(0);
const positionRows = z.array(
  z
    .object({ show_id: count, epoch: count, position: count, drafts: z.number().optional() })
    .transform(({ drafts, ...row }) => ({ ...row, hasDrafts: (drafts ?? 0) > 0 })),
);
const headRows = z.array(z.object({ epoch: count, position: count, section_count: count }));
const draftRows = z.array(z.object({ id: count, entries: z.string() }));
const recordRows = z.array(z.object({ position: count, entries: z.string() }));
const seatRows = z.array(z.object({ seat: count, section: count, status: count, changes: count }));

/** Writes what a step told the feed, in the step's own transaction. */
export async function writeDraft(
  entities: SqlEntityManager,
  show: ShowId,
  entries: readonly FeedEntry[],
): Promise<void> {
  const sql = 'insert into live_feed_drafts (show_id, entries) values (?, ?)';
  await entities.execute(sql, [show, JSON.stringify(entries)], 'run');
}

/** Positions of those of the shows that have a history, and whether there are drafts to be numbered. */
export async function positionsOf(
  entities: SqlEntityManager,
  shows: readonly ShowId[],
): Promise<ReadonlyMap<number, FeedPosition & { readonly hasDrafts: boolean }>> {
  if (shows.length === 0) return new Map();
  const rows: unknown = await entities.execute(
    'select s.show_id, s.epoch, s.position, ' +
      'exists (select 1 from live_feed_drafts d where d.show_id = s.show_id) as drafts ' +
      'from live_shows s where s.show_id in (?)',
    [shows],
  );
  return new Map(positionRows.parse(rows).map((row) => [row.show_id, row]));
}

/**
 * Numbers every draft of a show that is committed. To be run in a transaction; those of a show take turns.
 *
 * Steps commit in another order than that of their drafts' ids, so a reader who goes by ids would pass over a draft
 * that commits late. Here only what is visible gets a number, when it is visible: late ones get later numbers, and
 * readers go by numbers, which are without gaps and the same for everybody [P5]. Of two steps on one seat the second
 * could only begin when the first was committed, so it has the higher id and never becomes visible before it.
 */
export async function numberDrafts(
  entities: SqlEntityManager,
  show: ShowId,
): Promise<(FeedPosition & { readonly sectionCount: number }) | null> {
  const head = headRows.parse(
    await entities.execute(
      'select epoch, position, section_count from live_shows where show_id = ? for update',
      [show],
    ),
  )[0];
  if (!head) return null;
  let { position } = head;
  for (;;) {
    const drafts = draftRows.parse(
      await entities.execute(
        'select id, entries from live_feed_drafts where show_id = ? order by id limit ?',
        [show, DRAFTS_PER_RECORD],
      ),
    );
    if (drafts.length === 0) break;
    position += 1;
    const entries = `[${drafts.map((draft) => draft.entries.slice(1, -1)).join(',')}]`;
    await entities.execute(
      'insert into live_feed (show_id, position, entries) values (?, ?, ?)',
      [show, position, entries],
      'run',
    );
    await entities.execute(
      'delete from live_feed_drafts where id in (?)',
      [drafts.map((draft) => draft.id)],
      'run',
    );
    if (drafts.length < DRAFTS_PER_RECORD) break;
  }
  if (position > head.position) {
    await entities.execute('update live_shows set position = ? where show_id = ?', [position, show], 'run');
  }
  return { epoch: head.epoch, position, sectionCount: head.section_count };
}

/**
 * The show as it is now and the number of the feed's last record that is contained. To be run in a transaction whose
 * reads see one snapshot: drafts and seats are then of the same moment.
 */
export async function readBase(entities: SqlEntityManager, show: ShowId): Promise<PositionedBase | null> {
  const at = await numberDrafts(entities, show);
  if (!at) return null;
  const seats = seatRows.parse(
    await entities.execute('select seat, section, status, changes from live_seats where show_id = ?', [show]),
  );
  const seatCount = seats.reduce((most, row) => Math.max(most, row.seat + 1), 0);
  const [statuses, sectionOf] = [new Uint8Array(seatCount), new Uint16Array(seatCount)];
  const sequences = new Array<number>(at.sectionCount).fill(0);
  for (const { seat, section, status, changes } of seats) {
    statuses[seat] = status;
    sectionOf[seat] = section;
    sequences[section] = (sequences[section] ?? 0) + changes;
  }
  return {
    epoch: at.epoch,
    position: at.position,
    sectionOf,
    base: { epoch: at.epoch, statuses, sequences },
  };
}

/** The next records of a show's feed, in order. */
export async function readRecords(
  entities: SqlEntityManager,
  show: ShowId,
  after: number,
): Promise<readonly FeedRecord[]> {
  const rows: unknown = await entities.execute(
    'select position, entries from live_feed where show_id = ? and position > ? order by position limit ?',
    [show, after, RECORDS_PER_READ],
  );
  return recordRows.parse(rows).map((row) => ({
    position: row.position,
    // `writeDraft` wrote it, and every change of its shape is a migration; but new kinds of notices come with a deploy.
    entries: (JSON.parse(row.entries) as FeedEntry[]).map(({ changes, notice }) => ({
      changes,
      notice: notice && isKnownNotice(notice) ? notice : null,
    })),
  }));
}

/** Deletes records that everybody who follows has long read. */
export async function trimFeed(entities: SqlEntityManager, show: ShowId): Promise<void> {
  const head = (await positionsOf(entities, [show])).get(show);
  if (!head || head.position <= RECORDS_KEPT) return;
  await entities.execute(
    'delete from live_feed where show_id = ? and position <= ? order by position limit ?',
    [show, head.position - RECORDS_KEPT, RECORDS_PER_DELETE],
    'run',
  );
}

import { Migration } from '@mikro-orm/migrations';
import { type ColumnTypes, columnTypes, type TableDescription } from './column-types.ts';

/** In the order in which they may be dropped. */
const FORMER = [
  'live_seat_notes',
  'live_feed',
  'live_feed_drafts',
  'live_checkouts',
  'live_hold_tokens',
  'live_holds',
  'live_seats',
  'live_shows',
];

/**
 * Live seats in the database, made anew in a simpler form: one step after the other changes a show, so hold tokens and
 * the feed's positions are counted in its row, and a seat has one row, from its first change on.
 *
 * Rows are found by their primary keys while people click; the other indexes serve
 * - `live_seats_sold_to`: how many seats a buyer has bought already (of unsold ones it has nothing to keep up);
 * - `live_seats_held_from`: how many seats are held from a network;
 * - `live_holds_deadline`: the holds that ran out;
 * - `live_checkouts_due`: the checkouts that somebody has to look after.
 *
 * The tables were never in use but in tests: no version keeps its live seats here by itself. So nothing is taken away
 * that the version before reads or writes, or that anybody has put there.
 */
export class OneRowALiveSeat extends Migration {
  override up(): void {
    const types = columnTypes(this.driver.getPlatform());
    for (const table of FORMER) this.addSql(`drop table if exists ${table}`);
    for (const table of tables(types)) {
      for (const statement of types.createTable(table)) this.addSql(statement);
    }
  }

  override down(): void {
    const names = ['live_feed', 'live_checkouts', 'live_holds', 'live_seats', 'live_shows'];
    for (const name of names) this.addSql(`drop table ${name}`);
  }
}

function tables(t: ColumnTypes): readonly TableDescription[] {
  const shows = {
    name: 'live_shows',
    columns: [
      `show_id ${t.uint32} not null primary key`,
      `epoch ${t.uint32} not null`,
      `seat_count ${t.uint32} not null`,
      `section_count ${t.uint32} not null`,
      `last_token ${t.uint53} not null`,
      `position ${t.uint53} not null`,
    ],
  };
  const seats = {
    name: 'live_seats',
    columns: [
      `show_id ${t.uint32} not null`,
      `seat ${t.uint32} not null`,
      `section ${t.uint32} not null`,
      `status ${t.uint32} not null`,
      `held_by ${t.ascii(64)}`,
      `sold_to ${t.ascii(64)}`,
      `changes ${t.uint32} not null`,
      `held_from ${t.ascii(16)}`,
      `note ${t.longText}`,
      'primary key (show_id, seat)',
    ],
    indexes: [
      { name: 'live_seats_sold_to', columns: ['show_id', 'sold_to'] },
      { name: 'live_seats_held_from', columns: ['show_id', 'held_from'] },
    ],
    clustered: true,
  };
  const holds = {
    name: 'live_holds',
    columns: [
      `show_id ${t.uint32} not null`,
      `session_id ${t.ascii(64)} not null`,
      `hold_token ${t.uint53} not null`,
      `expires_at ${t.uint53} not null`,
      `claim ${t.longText} not null`,
      'primary key (show_id, session_id)',
    ],
    indexes: [{ name: 'live_holds_deadline', columns: ['show_id', 'expires_at'] }],
    clustered: true,
  };
  const checkouts = {
    name: 'live_checkouts',
    columns: [
      `show_id ${t.uint32} not null`,
      `order_id ${t.ascii(36)} not null`,
      `session_id ${t.ascii(64)} not null`,
      `due_at ${t.uint53} not null`,
      `request ${t.longText} not null`,
      'primary key (show_id, order_id)',
    ],
    indexes: [{ name: 'live_checkouts_due', columns: ['show_id', 'due_at'] }],
    clustered: true,
  };
  const feed = {
    name: 'live_feed',
    columns: [
      `show_id ${t.uint32} not null`,
      `position ${t.uint53} not null`,
      `entries ${t.longText} not null`,
      'primary key (show_id, position)',
    ],
    clustered: true,
  };
  return [shows, seats, holds, checkouts, feed];
}

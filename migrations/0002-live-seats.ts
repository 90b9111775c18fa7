import { Migration } from '@mikro-orm/migrations';
import { type ColumnTypes, columnTypes, type TableDescription } from './column-types.ts';

/**
 * Live seats in the database: who holds what, and the feed that tells of it, for times when there is no Redis.
 *
 * Rows are found by their primary keys while people click; the other indexes serve
 * - `live_seats_sold_to`: how many seats a buyer has bought already (of unsold ones it has nothing to keep up);
 * - `live_holds_token`: a hold by the number its buyer shows, and one hold per number;
 * - `live_holds_deadline`: the holds that ran out.
 *
 * `live_feed_drafts` are what transactions wrote and nobody numbered yet, `live_feed` is the numbered history.
 */
export class LiveSeats extends Migration {
  override up(): void {
    const types = columnTypes(this.driver.getPlatform());
    for (const table of [...seats(types), ...feed(types)]) {
      for (const statement of types.createTable(table)) this.addSql(statement);
    }
  }

  override down(): void {
    const tables = ['live_feed', 'live_feed_drafts', 'live_hold_tokens', 'live_holds', 'live_seats'];
    for (const table of [...tables, 'live_shows']) this.addSql(`drop table ${table}`);
  }
}

function seats(t: ColumnTypes): readonly TableDescription[] {
  const shows = {
    name: 'live_shows',
    columns: [
      `show_id ${t.uint32} not null primary key`,
      `epoch ${t.uint32} not null`,
      `token_base ${t.uint53} not null`,
      `position ${t.uint53} not null`,
      `section_count ${t.uint32} not null`,
    ],
  };
  const liveSeats = {
    name: 'live_seats',
    columns: [
      `show_id ${t.uint32} not null`,
      `seat ${t.uint32} not null`,
      `section ${t.uint32} not null`,
      `status ${t.uint32} not null`,
      `held_by ${t.ascii(64)}`,
      `sold_to ${t.ascii(64)}`,
      `changes ${t.uint32} not null`,
      'primary key (show_id, seat)',
    ],
    indexes: [{ name: 'live_seats_sold_to', columns: ['show_id', 'sold_to'] }],
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
    indexes: [
      { name: 'live_holds_token', columns: ['show_id', 'hold_token'], unique: true },
      { name: 'live_holds_deadline', columns: ['show_id', 'expires_at'] },
    ],
    clustered: true,
  };
  const tokens = {
    name: 'live_hold_tokens',
    columns: [`id ${t.risingId}`, `show_id ${t.uint32} not null`],
  };
  return [shows, liveSeats, holds, tokens];
}

function feed(t: ColumnTypes): readonly TableDescription[] {
  const drafts = {
    name: 'live_feed_drafts',
    columns: [`id ${t.risingId}`, `show_id ${t.uint32} not null`, `entries ${t.longText} not null`],
    indexes: [{ name: 'live_feed_drafts_of_show', columns: ['show_id', 'id'] }],
  };
  const numbered = {
    name: 'live_feed',
    columns: [
      `show_id ${t.uint32} not null`,
      `position ${t.uint53} not null`,
      `entries ${t.longText} not null`,
      'primary key (show_id, position)',
    ],
    clustered: true,
  };
  return [drafts, numbered];
}

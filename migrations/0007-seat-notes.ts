import { Migration } from '@mikro-orm/migrations';
import { columnTypes } from './column-types.ts';

/**
 * What is remembered of live seats besides their statuses: who took them last, and from where. Found by the seat;
 * `live_seat_notes_held_from` counts the seats that are held from a network.
 */
export class SeatNotes extends Migration {
  override up(): void {
    const types = columnTypes(this.driver.getPlatform());
    const notes = {
      name: 'live_seat_notes',
      columns: [
        `show_id ${types.uint32} not null`,
        `seat ${types.uint32} not null`,
        `held_from ${types.ascii(16)}`,
        `note ${types.longText} not null`,
        'primary key (show_id, seat)',
      ],
      indexes: [{ name: 'live_seat_notes_held_from', columns: ['show_id', 'held_from'] }],
      clustered: true,
    };
    for (const statement of types.createTable(notes)) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table live_seat_notes');
  }
}

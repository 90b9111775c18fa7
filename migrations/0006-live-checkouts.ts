import { Migration } from '@mikro-orm/migrations';
import { columnTypes } from './column-types.ts';

/**
 * Checkouts without an outcome, for the live seats that the database keeps: what a payment's request is made from,
 * until the payment is settled. `live_checkouts_due` finds those that somebody has to look after.
 */
export class LiveCheckouts extends Migration {
  override up(): void {
    const types = columnTypes(this.driver.getPlatform());
    const statements = types.createTable({
      name: 'live_checkouts',
      columns: [
        `show_id ${types.uint32} not null`,
        `order_id ${types.ascii(36)} not null`,
        `session_id ${types.ascii(64)} not null`,
        `due_at ${types.uint53} not null`,
        `request ${types.longText} not null`,
        'primary key (show_id, order_id)',
      ],
      indexes: [{ name: 'live_checkouts_due', columns: ['show_id', 'due_at'] }],
      clustered: true,
    });
    for (const statement of statements) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table live_checkouts');
  }
}

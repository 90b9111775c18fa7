import { Migration } from '@mikro-orm/migrations';
import { columnTypes } from './column-types.ts';

/**
 * Whose tickets a recovery code brings back. Codes are kept as digests: who reads this table can't use them. A row is
 * found by its primary key and never changes.
 */
export class Recoveries extends Migration {
  override up(): void {
    const types = columnTypes(this.driver.getPlatform());
    const recoveries = {
      name: 'recoveries',
      columns: [
        `code_digest ${types.ascii(43)} not null primary key`,
        `session_id ${types.ascii(64)} not null`,
        `created_at ${types.uint53} not null`,
      ],
    };
    for (const statement of types.createTable(recoveries)) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table recoveries');
  }
}

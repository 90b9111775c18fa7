import { Migration } from '@mikro-orm/migrations';
import { BaseMySqlPlatform } from '@mikro-orm/sql';
import { columnTypes } from './column-types.ts';

/**
 * The embedded payment log keeps, beside each request, which form it has and the seal of who wrote it; and a table says
 * which of its records were put aside and why. A row of the version before has no seal: it is put aside.
 */
export class SealedPayments extends Migration {
  override async up(): Promise<void> {
    const types = columnTypes(this.driver.getPlatform());
    const columns = [
      ['form', `${types.ascii(40)} not null default 'payment-request/1'`],
      ['mac', `${types.ascii(43)} not null default ''`],
    ] as const;
    const known = await this.#columns();
    for (const [name, definition] of columns) {
      if (!known.includes(name)) this.addSql(`alter table payment_log add column ${name} ${definition}`);
    }
    const deadLetters = {
      name: 'payment_dead_letters',
      columns: [
        `log_offset ${types.uint53} not null primary key`,
        `reason ${types.ascii(20)} not null`,
        `error ${types.text(1_000)} not null`,
        `buried_at ${types.uint53} not null`,
      ],
    };
    for (const statement of types.createTable(deadLetters)) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table payment_dead_letters');
    for (const name of ['form', 'mac']) this.addSql(`alter table payment_log drop column ${name}`);
  }

  /** Those that an interrupted run has left; SQLite leaves none. */
  async #columns(): Promise<readonly string[]> {
    if (!(this.driver.getPlatform() instanceof BaseMySqlPlatform)) return [];
    const rows = await this.execute(
      'select column_name as name from information_schema.columns ' +
        "where table_schema = database() and table_name = 'payment_log'",
    );
    return rows.map((row) => String((row as { name?: unknown }).name));
  }
}

import { Migration } from '@mikro-orm/migrations';
import { BaseMySqlPlatform } from '@mikro-orm/sql';
import { columnTypes } from './column-types.ts';

/**
 * Shows are edited by organisers who each must know what they change: a show's version, what it was before each edit,
 * and one version of the whole catalogue, by which nodes learn of edits. Nodes of the version before go on with the
 * columns they know.
 */
export class ShowVersions extends Migration {
  override async up(): Promise<void> {
    const platform = this.driver.getPlatform();
    const types = columnTypes(platform);
    const columns = [
      `cancelled ${types.boolean} not null default 0`,
      `version ${types.uint53} not null default 1`,
    ];
    const known = platform instanceof BaseMySqlPlatform ? await this.execute('show columns from shows') : [];
    const names = known.map((row) => String((row as { Field?: unknown }).Field));
    for (const column of columns) {
      if (!names.includes(column.split(' ', 1)[0] ?? ''))
        this.addSql(`alter table shows add column ${column}`);
    }
    const tables = [
      {
        name: 'former_shows',
        columns: [
          `show_id ${types.uint53} not null`,
          `version ${types.uint53} not null`,
          `text ${types.longText} not null`,
          'primary key (show_id, version)',
        ],
        clustered: true,
      },
      {
        name: 'catalog_version',
        columns: [`id ${types.uint32} not null primary key`, `version ${types.uint53} not null`],
      },
    ];
    for (const table of tables) for (const statement of types.createTable(table)) this.addSql(statement);
    this.addSql(
      'insert into catalog_version (id, version) select 1, 1 where not exists (select 1 from catalog_version)',
    );
  }

  override down(): void {
    for (const table of ['catalog_version', 'former_shows']) this.addSql(`drop table ${table}`);
    for (const column of ['version', 'cancelled']) this.addSql(`alter table shows drop column ${column}`);
  }
}

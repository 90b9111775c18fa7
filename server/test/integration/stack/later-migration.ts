import { Migration, Migrator } from '@mikro-orm/migrations';
import { MikroORM, MySqlDriver } from '@mikro-orm/mysql';
import { migrations } from '../../../../migrations/index.ts';

/** What a later version might bring: it only adds, so the version that runs can go on beside it. */
export class LaterColumns extends Migration {
  override up(): void {
    this.addSql('alter table orders add column gift_note varchar(200) character set utf8mb4 null');
    this.addSql('alter table orders add index orders_by_show (show_id, settled_at)');
    this.addSql('alter table sold_seats add column scanned_at bigint unsigned null');
    this.addSql('alter table outbox add column attempts int unsigned not null default 0');
    this.addSql('create table door_scans (id bigint unsigned not null auto_increment primary key, seat int)');
  }
}

/** Runs the migrations of a version that has one more; returns the milliseconds that it took. */
export async function migrateOnwards(databaseUrl: string, later: typeof LaterColumns): Promise<number> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const orm = await MikroORM.init({
    driver: MySqlDriver,
    host: hostname,
    port: Number(port),
    user: username,
    password,
    dbName: pathname.slice(1),
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    migrations: {
      tableName: 'schema_migrations',
      migrationsList: [...migrations, { name: '9999-later-columns', class: later }],
      snapshot: false,
      silent: true,
    },
  });
  const since = performance.now();
  try {
    await orm.migrator.up();
    return performance.now() - since;
  } finally {
    await orm.close(true);
  }
}

/** Statements that write orders of long ago, which sold nothing. */
export function oldOrders(count: number): readonly string[] {
  return [
    `set session cte_max_recursion_depth = ${count + 1}`,
    `insert into orders (id, show_id, session_id, hold_token, idempotency_key, status, seats, amount, currency,
       created_at, settled_at, reason)
     with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${count})
     select concat('old-', n), 999, concat('session-', n), n, concat('key-', n), 'declined', '[]', 1, 'EUR', n, n, ''
     from numbers`,
  ];
}

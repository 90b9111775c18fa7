import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { catalogTables } from '../../../src/catalog/catalog-tables.ts';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { orderTables } from '../../../src/checkout/order-tables.ts';
import { paymentLogTable } from '../../../src/checkout/payment-log-table.ts';
import type { Database } from '../../../src/platform/database.ts';
import { openMysqlDatabase } from '../../../src/platform/database-mysql.ts';
import { openSqliteDatabase } from '../../../src/platform/database-sqlite.ts';
import { liveSeatTables } from '../../../src/seating/mysql-seat-tables.ts';
import { benchDraft, benchLayout, type BenchVenue } from './bench-show.ts';

const TABLES = [...catalogTables, ...orderTables, paymentLogTable, ...liveSeatTables];
const DRAW_SEED = '5'.repeat(64);

/** Opens MySQL with every table of the server. */
export function openBenchMysql(url: string): Promise<Database> {
  return openMysqlDatabase(url, TABLES, {
    clock: systemClock,
    random: systemRandom,
    onTrouble: () => undefined,
  });
}

/** Puts one show into the database that a server is about to be started on, and returns its number. */
export async function addBenchShow(
  place: { readonly dataDir: string } | { readonly databaseUrl: string },
  venue: BenchVenue,
): Promise<number> {
  const database =
    'dataDir' in place
      ? await openSqliteDatabase(place.dataDir, TABLES)
      : await openBenchMysql(place.databaseUrl);
  try {
    const catalog = new SqlCatalogStore(database);
    await catalog.addLayouts([benchLayout(venue)]);
    return await catalog.addShow(benchDraft(venue, systemClock.now()), DRAW_SEED);
  } finally {
    await database.close();
  }
}

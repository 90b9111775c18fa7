import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recoveryTable } from '../../src/access/sql-recovery-store.ts';
import { catalogTables } from '../../src/catalog/catalog-tables.ts';
import { orderTables } from '../../src/checkout/sql-order-store.ts';
import { paymentLogTables } from '../../src/payment-log/sql-payment-log.ts';
import type { Database, Table } from '../../src/platform/database.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { liveSeatTables } from '../../src/seating/mysql-seat-tables.ts';

/** The tables of every room, as main opens them. */
export const allTables: readonly Table[] = [
  ...catalogTables,
  ...orderTables,
  ...paymentLogTables,
  ...liveSeatTables,
  recoveryTable,
];

/** A real SQLite file in a folder of its own; `remove` closes it and leaves nothing behind. */
export interface TestDatabase {
  readonly database: Database;
  readonly directory: string;
  remove(): Promise<void>;
}

export async function openTestDatabase(): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-database-'));
  const database = await openSqliteDatabase(directory, allTables);
  return {
    database,
    directory,
    async remove() {
      await database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

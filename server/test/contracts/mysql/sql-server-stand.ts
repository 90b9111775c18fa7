import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { Database } from '../../../src/platform/database.ts';
import { openMysqlDatabase } from '../../../src/platform/database-mysql.ts';
import { freshSharedDatabase } from '../../shared-servers.ts';
import { allTables } from '../test-database.ts';

/** Opens what the address names, as main does; trouble that would pass is an error here. */
export function openAt(url: string): Promise<Database> {
  return openMysqlDatabase(url, allTables, {
    clock: systemClock,
    random: systemRandom,
    onTrouble: (message) => {
      throw new Error(message);
    },
  });
}

/**
 * A database of one test file's own on a real MySQL or MariaDB, and two processes that use it: `database` and
 * `another` have their own connections.
 */
export class SqlServerStand {
  readonly url: string;
  readonly database: Database;
  readonly another: Database;
  readonly #drop: () => Promise<void>;

  private constructor(url: string, database: Database, another: Database, drop: () => Promise<void>) {
    this.url = url;
    this.database = database;
    this.another = another;
    this.#drop = drop;
  }

  static async start(server: 'database' | 'mariadb'): Promise<SqlServerStand> {
    const fresh = await freshSharedDatabase(server);
    const [database, another] = [await openAt(fresh.url), await openAt(fresh.url)];
    return new SqlServerStand(fresh.url, database, another, () => fresh.drop());
  }

  /** Deletes every row: far quicker than a new database for each test. */
  async empty(): Promise<void> {
    for (const { meta } of allTables.toReversed()) {
      // Its one row came with the tables, and a version never goes back.
      if (meta.tableName === 'catalog_version') continue;
      await this.database.entities().execute(`delete from ${meta.tableName}`);
    }
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.another.close();
    await this.#drop();
  }
}

import { mkdtemp, readFile, rm, writeFile, chmod, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../../../migrations/index.ts';
import { DatabaseError } from '../../src/platform/database.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { allTables } from './test-database.ts';

/** Nobody who is in the way here will ever go. */
const BUSY_TIMEOUT_MS = 50;

describe('embedded database', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stampede-database-'));
    file = join(directory, 'stampede.sqlite');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const open = (where = directory) => openSqliteDatabase(where, allTables, BUSY_TIMEOUT_MS);

  async function failure(where = directory): Promise<string> {
    const error = await open(where).then(
      async (database) => {
        await database.close();
        return null;
      },
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(DatabaseError);
    return (error as DatabaseError).message;
  }

  /** Writes to the file behind the server's back, then lets go of it. */
  function tamper(sql: string): void {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  }

  it('makes a missing folder and every table of every room', async () => {
    const deep = join(directory, 'not', 'there', 'yet');
    const database = await open(deep);
    for (const { meta } of allTables) {
      const rows = await database.entities().execute(`select count(*) as n from ${meta.tableName}`);
      expect(rows).toEqual([{ n: meta.tableName === 'catalog_version' ? 1 : 0 }]);
    }
    await database.close();
  });

  it('[P2] waits for the disk at every commit', async () => {
    const database = await open();
    const entities = database.entities();
    expect(await entities.execute('pragma journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await entities.execute('pragma synchronous')).toEqual([{ synchronous: 2 }]);
    expect(await entities.execute('pragma foreign_keys')).toEqual([{ foreign_keys: 1 }]);
    await database.close();
  });

  it('opened again, finds what was written and runs no migration twice', async () => {
    const first = await open();
    await first.entities().execute(`insert into venue_layouts values ('opera', '{}')`);
    await first.close();
    const second = await open();
    expect(await second.entities().execute('select id from venue_layouts')).toEqual([{ id: 'opera' }]);
    const ran = await second.entities().execute('select name from schema_migrations');
    expect(ran).toEqual(migrations.map(({ name }) => ({ name })));
    await second.close();
  });

  it('columns of the tables and of the migrations are the same', async () => {
    const database = await open();
    const entities = database.entities();
    for (const table of allTables) {
      const meta = entities.getMetadata(table);
      const columns = await entities.execute<{ name: string; notnull: number }[]>(
        `pragma table_info(${meta.tableName})`,
      );
      const described = Object.values(meta.properties).map(
        (property) => [property.fieldNames[0], property.nullable ? 0 : 1] as const,
      );
      const made = columns.map((column) => [column.name, column.notnull] as const);
      expect(made.toSorted(), meta.tableName).toEqual(described.toSorted());
    }
    await database.close();
  });

  it('rolls back a transaction whose work fails', async () => {
    const database = await open();
    const failed = database.transaction(async (entities) => {
      await entities.execute(`insert into venue_layouts values ('opera', '{}')`);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await database.entities().execute('select * from venue_layouts')).toEqual([]);
    await database.close();
  });

  it('transactions that overlap in time do not see each other and all commit', async () => {
    const database = await open();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        database.transaction(async (entities) => {
          await entities.execute(`insert into venue_layouts values ('a${String(index)}', '{}')`);
          await entities.execute(`insert into venue_layouts values ('b${String(index)}', '{}')`);
        }),
      ),
    );
    expect(await database.entities().execute('select count(*) as n from venue_layouts')).toEqual([{ n: 40 }]);
    await database.close();
  });

  it('a folder in use by another server is refused until that one ends', async () => {
    const first = await open();
    const message = await failure();
    expect(message).toContain(directory);
    expect(message).toContain('in use by another server');
    await first.close();
    await (await open()).close();
  });

  it('lets others read while it is open', async () => {
    const database = await open();
    await database.entities().execute(`insert into venue_layouts values ('opera', '{}')`);
    const reader = new DatabaseSync(file, { readOnly: true });
    expect(reader.prepare('select id from venue_layouts').all()).toEqual([{ id: 'opera' }]);
    reader.close();
    await database.close();
  });

  it('a data folder that is a file is refused, naming it and DATA_DIR', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    const message = await failure(path);
    expect(message).toContain(path);
    expect(message).toContain('DATA_DIR');
  });

  it('a file that is no database is refused and left as it is', async () => {
    await writeFile(file, 'Dear diary, '.repeat(500));
    const message = await failure();
    expect(message).toContain(file);
    expect(message).toContain('damaged');
    expect(await readFile(file, 'utf8')).toBe('Dear diary, '.repeat(500));
  });

  it('a damaged database is refused', async () => {
    const database = await open();
    await database
      .entities()
      .execute(`insert into venue_layouts values ('opera', '${'x'.repeat(100_000)}'), ('arena', '{}')`);
    await database.close();
    const bytes = await readFile(file);
    bytes.fill(0xff, 4_096, 4_096 * 8);
    await writeFile(file, bytes);
    expect(await failure()).toContain(file);
  });

  it('a database locked by another program is refused, naming it', async () => {
    await (await open()).close();
    const other = new DatabaseSync(file);
    other.exec('pragma locking_mode = exclusive; begin exclusive');
    expect(await failure()).toContain(`${file} is locked by another program`);
    other.close();
    await (await open()).close();
  });

  it('[P6] its files are read and written by their owner alone, also those that were made otherwise', async () => {
    await (await open()).close();
    await chmod(file, 0o644);
    const database = await open();
    await database.entities().execute("insert into venue_layouts values ('opera', '{}')");
    for (const one of [file, `${file}-wal`, `${file}-shm`]) {
      expect((await stat(one)).mode & 0o777, one).toBe(0o600);
    }
    await database.close();
  });

  it('a database that a newer version only added to is welcome', async () => {
    await (await open()).close();
    tamper(`insert into schema_migrations (name, executed_at) values ('0999-more-columns', 0)`);
    await (await open()).close();
  });

  it('a database that a newer version took something from is refused, naming file and migration', async () => {
    await (await open()).close();
    tamper(`insert into schema_migrations (name, executed_at) values ('0999-contract-orders', 0)`);
    const message = await failure();
    expect(message).toContain(file);
    expect(message).toContain('0999-contract-orders');
  });
});

import { systemClock } from '@stampede/shared/platform/clock.ts';
import { describe, expect, it } from 'vitest';
import { migrations } from '../../../../migrations/index.ts';
import { ConfigError } from '../../../src/platform/config-error.ts';
import { openMysqlDatabase } from '../../../src/platform/database-mysql.ts';
import { DatabaseError } from '../../../src/platform/database.ts';
import { freshSharedDatabase } from '../../shared-servers.ts';
import { allTables } from '../test-database.ts';
import { startSilentProxy } from './silent-proxy.ts';
import { openAt, type SqlServerStand } from './sql-server-stand.ts';

/** Opening a database of the MySQL family, and what can be wrong with it. */
export function describeOpening(stand: () => SqlServerStand, server: 'database' | 'mariadb'): void {
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(stand().url);
    change(url);
    return url.href;
  };
  const failure = async (url: string): Promise<Error> => {
    const error: unknown = await openAt(url).then(
      async (database) => {
        await database.close();
        return null;
      },
      (cause: unknown) => cause,
    );
    if (!(error instanceof Error)) expect.fail(`opened ${url}`);
    return error;
  };

  describe('opening', () => {
    it.each([
      ['nothing', '', 'an empty address'],
      ['no URL', 'my database', 'no URL'],
      ['another protocol', 'redis://localhost', 'starts with redis:'],
      ['no user', 'mysql://localhost/shop', 'without a user'],
      ['no database', 'mysql://me@localhost', 'without a database'],
      ['options', 'mysql://me@localhost/shop?ssl=true', 'options ?ssl=true'],
    ])('refuses %s at once and names DATABASE_URL', async (_, url, given) => {
      const error = await failure(url);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain('DATABASE_URL');
      expect(error.message).toContain(given);
    });

    it.each([
      ['a wrong password', (url: URL) => (url.password = 'wrong-secret')],
      ['an unknown user', (url: URL) => (url.username = 'nobody')],
      ['a database that is missing', (url: URL) => (url.pathname = '/stampede_missing')],
      ['a database of others', (url: URL) => (url.pathname = '/mysql')],
      [
        'a server without TLS, asked for it',
        (url: URL) => (url.href = url.href.replace('mysql:', 'mysqls:')),
      ],
    ])('refuses %s, for waiting can’t help', async (_, change) => {
      const error = await failure(changed(change));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain('DATABASE_URL');
      expect(error.message).toContain(new URL(stand().url).host);
      expect(error.message).not.toMatch(/wrong-secret/);
    });

    it('waits for a server that isn’t there yet, saying so in one line without secrets', async () => {
      const gone = new AbortController();
      const troubles: string[] = [];
      const url = changed((one) => (one.port = '1'));
      const opening = openMysqlDatabase(url, allTables, {
        clock: { ...systemClock, after: (_, task) => systemClock.after(1, task) },
        random: () => 0.5,
        signal: gone.signal,
        onTrouble: (message) => {
          troubles.push(message);
          if (troubles.length === 3) gone.abort();
        },
      });
      await expect(opening).rejects.toThrow('aborted');
      expect(troubles[0]).toMatch(
        /^DATABASE_URL: mysql:\/\/127.0.0.1:1\/stampede\w* .*ECONNREFUSED.*again in 75 ms$/,
      );
      expect(troubles.join()).not.toContain(new URL(url).password);
    });

    it('several nodes that start at once make the tables once', async () => {
      const fresh = await freshSharedDatabase(server);
      const databases = await Promise.all([
        openAt(fresh.url),
        openAt(fresh.url),
        openAt(fresh.url),
        openAt(fresh.url),
      ]);
      const ran = await databases[0].entities().execute('select name from schema_migrations');
      expect(ran).toEqual(migrations.map(({ name }) => ({ name })));
      for (const database of databases) await database.close();
      await fresh.drop();
    });

    it('goes on with a migration that was interrupted', async () => {
      const fresh = await freshSharedDatabase(server);
      const before = await openAt(fresh.url);
      await before.entities().execute('drop table outbox');
      await before.entities().execute('delete from schema_migrations');
      await before.close();
      const database = await openAt(fresh.url);
      expect(await database.entities().execute('select count(*) as n from outbox')).toEqual([{ n: 0 }]);
      await database.close();
      await fresh.drop();
    });

    it('opens what a newer version added to, and refuses what one took something from', async () => {
      const fresh = await freshSharedDatabase(server);
      const write = (name: string) => `insert into schema_migrations (name) values ('${name}')`;
      const database = await openAt(fresh.url);
      await database.entities().execute(write('0998-more-columns'));
      await database.close();
      const again = await openAt(fresh.url);
      await again.entities().execute(write('0999-contract-orders'));
      await again.close();
      const error = await failure(fresh.url);
      expect(error).toBeInstanceOf(DatabaseError);
      expect(error.message).toContain('0999-contract-orders');
      await fresh.drop();
    });

    it('columns of the tables and of the migrations are the same', async () => {
      const entities = stand().database.entities();
      for (const table of allTables) {
        const meta = entities.getMetadata(table);
        const columns = await entities.execute<{ name: string; nullable: string }[]>(
          'select column_name as name, is_nullable as nullable from information_schema.columns ' +
            'where table_schema = database() and table_name = ?',
          [meta.tableName],
        );
        const described = Object.values(meta.properties).map(
          (property) => [property.fieldNames[0], property.nullable ? 'YES' : 'NO'] as const,
        );
        const made = columns.map((column) => [column.name, column.nullable] as const);
        expect(made.toSorted(), meta.tableName).toEqual(described.toSorted());
      }
    });
  });

  describe('connections', () => {
    it('are strict, in UTC, and read what is committed, whatever the server’s settings', async () => {
      const entities = stand().database.entities();
      const [row] = await entities.execute<{ mode: string; zone: string }[]>(
        'select @@sql_mode as mode, @@time_zone as zone',
      );
      expect(row?.mode).toContain('STRICT_TRANS_TABLES');
      expect(row?.mode).not.toContain('NO_BACKSLASH_ESCAPES');
      expect(row?.zone).toBe('+00:00');
      const tooLong = entities.execute(`insert into venue_layouts values ('${'x'.repeat(65)}', '{}')`);
      await expect(tooLong).rejects.toThrow('too long');
    });

    it('transactions that meet are tried again until both are done', async () => {
      const { database, another } = stand();
      await database.entities().execute(`insert into venue_layouts values ('a', '0'), ('b', '0')`);
      const bothHoldOne = meetingOf(2);
      let tries = 0;
      const add = (at: typeof database, first: string, second: string) =>
        at.transaction(async (entities) => {
          tries++;
          const change = 'update venue_layouts set layout = layout + 1 where id = ?';
          await entities.execute(change, [first], 'run');
          await bothHoldOne.arrive();
          await entities.execute(change, [second], 'run');
        });
      await Promise.all([add(database, 'a', 'b'), add(another, 'b', 'a')]);
      expect(await database.entities().execute('select layout from venue_layouts')).toEqual([
        { layout: '2' },
        { layout: '2' },
      ]);
      expect(tries, 'one gave way and came again').toBe(3);
      await stand().empty();
    });

    it('a transaction that always finds others in its way gives up', async () => {
      const { database, another } = stand();
      await database.entities().execute(`insert into venue_layouts values ('a', '0')`);
      let tries = 0;
      await database.transaction(async (holder) => {
        await holder.execute(`select id from venue_layouts where id = 'a' for update`);
        const rival = another.transaction(
          async (entities) => {
            tries++;
            await entities.execute(`select id from venue_layouts where id = 'a' for update nowait`);
          },
          { attempts: 3 },
        );
        await expect(rival).rejects.toThrow();
      });
      expect(tries).toBe(3);
      await stand().empty();
    });

    it('a statement that gets no answer is given up, and its connection with it', async () => {
      const proxy = await startSilentProxy(stand().url);
      const database = await openAt(proxy.url);
      expect(await database.isReady()).toBe(true);
      proxy.silence();
      await expect(database.entities().execute('select 1')).rejects.toThrow('timeout');
      expect(await database.entities().execute('select 2 as two')).toEqual([{ two: 2 }]);
      await database.close();
      proxy.close();
    });
  });
}

/** Where `size` wait for each other; who comes after them finds the door open. */
function meetingOf(size: number): { arrive: () => Promise<unknown> } {
  const { promise, resolve } = Promise.withResolvers<null>();
  let arrived = 0;
  return {
    arrive: () => {
      if (++arrived === size) resolve(null);
      return promise;
    },
  };
}

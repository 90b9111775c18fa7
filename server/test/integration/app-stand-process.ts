import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { type Ended, ServerProcess, type Settings } from '../../tools/tasks/server-process.ts';
import { allTables } from '../contracts/test-database.ts';
import { addShows } from './app-stand.ts';
import type { StandShow } from './app-stand-show.ts';

/** Starts a server that is expected to give up by itself. */
export function runServer(settings: Settings): Promise<Ended> {
  return new ServerProcess({ PORT: '0', HOST: '127.0.0.1', DEMO: 'off', ...settings }).ended;
}

/** What a process has open, as the kernel names it; sockets are `socket:…`. */
export function openFilesOf({ pid }: ServerProcess): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return []; // Closed since the folder was listed.
    }
  });
}

/** Fills the catalogue of a data folder that no server uses. */
export async function prepareShows(dataDir: string, shows: readonly StandShow[]): Promise<void> {
  const database = await openSqliteDatabase(dataDir, allTables);
  await addShows(new SqlCatalogStore(database), shows, Date.now());
  await database.close();
}

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { BearerOpened, ShowList } from '@stampede/shared/protocol/http.ts';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { cpuSecondsOf } from '../../tools/bench/surroundings.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { socketsFrom } from '../../tools/shopper/sockets.ts';
import { allTables } from '../contracts/test-database.ts';
import { ServerProcess } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';
import { draftOf, DRAW_SEED, layoutOf } from './app-stand-show.ts';

const FEW = 4;
const MANY = 2_000;
/** Five theatres' worth of seats: what a show costs once it is open, and mustn't before. */
const SECTIONS = Array<number>(10).fill(500);
/** Of one core: on a machine that is busy with other tests a start takes any time. */
const START_CPU_SECONDS_MAX = 5;
/** The board of an open show of this size alone takes more. */
const BYTES_A_SHOW_MAX = 30_000;

let folders: string[];
let servers: ServerProcess[];

beforeEach(() => {
  folders = [];
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.kill();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A server whose catalogue has so many shows in four houses, and how long it took to start. */
async function startWith(
  count: number,
): Promise<{ url: string; started: { inMs: number; cpuSeconds: number } }> {
  const folder = await mkdtemp(join(tmpdir(), 'stampede-many-'));
  folders.push(folder);
  const database = await openSqliteDatabase(folder, allTables);
  const catalog = new SqlCatalogStore(database);
  await catalog.fillIfEmpty(
    Array.from({ length: FEW }, (_, house) => layoutOf(`house-${house}`, SECTIONS)),
    Array.from({ length: count }, (_, index) => ({
      draft: draftOf(`Show ${index}`, `house-${index % FEW}`, Date.now()),
      drawSeed: DRAW_SEED,
    })),
  );
  await database.close();
  const port = await freePort();
  const began = performance.now();
  const settings = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: folder,
    DEMO: 'off',
    LOG_LEVEL: 'error',
  };
  const server = new ServerProcess(settings);
  servers.push(server);
  await server.serving();
  const started = {
    inMs: Math.round(performance.now() - began),
    cpuSeconds: cpuSecondsOf(readFileSync(`/proc/${server.pid}/stat`, 'utf8')),
  };
  return { url: `http://127.0.0.1:${port}`, started };
}

async function memoryOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

test('two thousand shows: a server starts at once, lists them, and takes the memory of those that are busy', async () => {
  const few = await startWith(FEW);
  const many = await startWith(MANY);
  const bytes = { few: await memoryOf(few.url), many: await memoryOf(many.url) };
  console.log({
    [FEW]: { ...few.started, bytes: bytes.few },
    [MANY]: { ...many.started, bytes: bytes.many },
  });
  expect(many.started.cpuSeconds).toBeLessThan(START_CPU_SECONDS_MAX);
  expect(bytes.many - bytes.few).toBeLessThan(MANY * BYTES_A_SHOW_MAX);
  const list = (await (await fetch(`${many.url}/api/shows`)).json()) as ShowList;
  expect(list).toHaveLength(MANY);
  expect(new Set(list.map((show) => `${show.phase} ${show.freeSeats}`))).toEqual(new Set(['open 5000']));

  const opened = await fetch(`${many.url}/api/sessions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ bearer: true }),
  });
  const { bearer } = (await opened.json()) as BearerOpened;
  const client = new StampedeClient({
    url: `${many.url.replace('http', 'ws')}/socket`,
    bearer,
    openSocket: socketsFrom(null, () => undefined),
    clock: systemClock,
    random: seededRandom(1),
  });
  client.start();
  await client.enter(1_999, seatMapOf(layoutOf('house-2', SECTIONS)));
  await client.join();
  await vi.waitFor(() => expect(client.view.standing.state).toBe('admitted'), { timeout: 10_000 });
  expect(await client.hold([0, 1])).toMatchObject({ ok: true });
  const freeOf = async (): Promise<number | undefined> =>
    ((await (await fetch(`${many.url}/api/shows`)).json()) as ShowList).find((show) => show.id === 1_999)
      ?.freeSeats;
  await vi.waitFor(async () => expect(await freeOf()).toBe(4_998), { timeout: 5_000 });
  client.stop();
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { catalogTables } from '../../src/catalog/catalog-tables.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { orderTables } from '../../src/checkout/sql-order-store.ts';
import { paymentLogTable } from '../../src/payment-log/sql-payment-log.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SEATS = 60;
const START_DEADLINE_MS = 15_000;

const arc = (y: number) => ({ from: [1, y], to: [10, y], bend: 0 }) as const;
const section = (name: string, priceLevel: number, y: number) => ({
  name,
  tier: 'Floor',
  blocks: [{ priceLevel, rows: 2, firstRow: 'A', seats: [10, 10] as const, front: arc(y), back: arc(y + 1) }],
});
const LAYOUT: VenueLayout = {
  id: 'shed',
  name: 'The Shed',
  city: 'Test',
  width: 11,
  height: 11,
  landmarks: [],
  priceLevels: ['Front', 'Back'],
  sections: [section('One', 0, 2), section('Two', 0, 5), section('Three', 1, 8)],
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let url: string;
let server: ChildProcess;

/** A catalogue of shows in the shed: one for each test, so that each finds all its seats. */
async function addShows(titles: readonly string[]): Promise<void> {
  const database = await openSqliteDatabase(folder, [...catalogTables, ...orderTables, paymentLogTable]);
  const catalog = new SqlCatalogStore(database);
  await catalog.addLayouts([LAYOUT]);
  const now = Date.now();
  for (const title of titles) {
    const sale = {
      lobbyAt: now - 2_000,
      opensAt: now - 1_000,
      closesAt: now + 3_600_000,
      admissionsPerSecond: 200,
      admissionBurst: 50,
      admittedMax: 100,
      admissionLifetimeMs: 600_000,
      seatsPerBuyer: 4,
      holdLifetimeMs: 60_000,
      extensionsMax: 1,
    };
    const texts = { title, subtitle: '', description: '', currency: 'EUR' };
    const draft = { ...texts, venue: LAYOUT.id, startsAt: now + 7_200_000, prices: [2_000, 1_000], sale };
    await catalog.addShow(draft, 'ab'.repeat(32));
  }
  await database.close();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const address = probe.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  probe.close();
  return address.port;
}

function start(
  file: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

const crowd = (...args: readonly string[]): Promise<Ended> =>
  ended(start('server/tools/crowd.ts', ['--url', url, '--data', folder, ...args]));

const lastLine = ({ stdout }: Ended): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crowd-'));
  await addShows(['A fight for seats', 'Nobody reads the books', 'Interrupted']);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  server = start('server/src/main.ts', [], {
    PORT: String(port),
    DATA_DIR: folder,
    DEMO: 'off',
    LOG_LEVEL: 'warn',
    PAYMENT_DELAY_MIN_MS: '20',
    PAYMENT_DELAY_MAX_MS: '200',
  });
  const output = ended(server);
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
    if (server.exitCode !== null || Date.now() > deadline) {
      throw new Error(`the server did not start: ${JSON.stringify(await output)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

afterAll(async () => {
  server.kill('SIGKILL');
  if (server.exitCode === null && server.signalCode === null) await once(server, 'close');
  rmSync(folder, { recursive: true, force: true });
});

describe.concurrent('a crowd against a running server', () => {
  it('[P1] more buyers than seats: all are answered, all seats are sold, none twice', async () => {
    const run = await crowd(
      '--show',
      'fight',
      '--buyers',
      '120',
      '--ramp',
      '1',
      '--timeout',
      '40',
      '--seed',
      '7',
    );
    const told = `${run.stdout}\n${run.stderr}`;
    const summary = lastLine(run);
    expect(summary, told).toMatchObject({ buyers: 120, answered: 120, sold: SEATS, oversold: 0, errors: 0 });
    expect(Object.keys(summary as object)).toEqual([
      'buyers',
      'answered',
      'sold',
      'declined',
      'refused',
      'oversold',
      'errors',
      'p50Ms',
      'p95Ms',
      'p99Ms',
    ]);
    expect(run.code, told).toBe(0);
  });

  it('[P1] without the database it says so, and never that nothing was oversold', async () => {
    const run = await crowd(
      ...['--show', 'books', '--buyers', '5', '--ramp', '0', '--json', '--data', join(folder, 'elsewhere')],
    );
    expect(lastLine(run)).toMatchObject({ buyers: 5, answered: 5, oversold: null });
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(run.stderr).toContain("can't be read");
    expect(run.code).toBe(1);
  });

  it('interrupted, it gives seats back and tells what it saw', async () => {
    const child = start('server/tools/crowd.ts', [
      ...['--url', url, '--data', folder, '--show', 'Interrupted', '--buyers', '20', '--ramp', '0'],
      ...['--pace', 'human', '--json'],
    ]);
    const end = ended(child);
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('choosing')) resolve();
      });
    });
    child.kill('SIGINT');
    const run = await end;
    expect(lastLine(run)).toMatchObject({ buyers: 20, oversold: 0, errors: 0 });
    expect(run.code).toBe(130);
    const shows = (await (await fetch(`${url}/api/shows`)).json()) as { title: string; freeSeats: number }[];
    const { sold } = lastLine(run) as { sold: number };
    expect(shows.find((show) => show.title === 'Interrupted')?.freeSeats).toBe(SEATS - sold);
  });

  it('answers what it cannot do with one line and exit code 2', async () => {
    const wrong = await crowd('--show', 'no such show', '--buyers', '5');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^--show: [^\n]+\n$/);
    const nobody = await crowd(
      '--url',
      `http://127.0.0.1:${await freePort()}`,
      '--show',
      '1',
      '--buyers',
      '5',
    );
    expect(nobody).toMatchObject({ code: 2, stdout: '' });
    expect(nobody.stderr).toMatch(/^--url: [^\n]+\n$/);
  });
});

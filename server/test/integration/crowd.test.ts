import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareShows } from './app-stand-process.ts';
import { freePort } from '../free-port.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SEATS = 60;
const START_DEADLINE_MS = 15_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let url: string;
let server: ChildProcess;

/** A catalogue of shows of sixty seats: one for each test, so that each finds all its seats. */
const addShows = (titles: readonly string[]): Promise<void> => {
  const sale = { admissionsPerSecond: 200, admissionBurst: 50, admittedMax: 100 };
  return prepareShows(
    folder,
    titles.map((title) => ({ title, sectionSeats: [20, 20, 20], sale })),
  );
};

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

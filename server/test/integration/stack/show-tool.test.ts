import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { SqlServerStand } from '../../contracts/mysql/sql-server-stand.ts';
import { addShows } from '../app-stand.ts';

const TOOL = fileURLToPath(new URL('../../../tools/show.ts', import.meta.url));

let stand: SqlServerStand;
beforeAll(async () => {
  stand = await SqlServerStand.start('database');
  await addShows(new SqlCatalogStore(stand.database), [{}, {}], Date.now());
});
afterAll(() => stand.close());

/** Runs the tool as an operator would. */
async function show(...args: readonly string[]) {
  const env = { ...process.env, DATABASE_URL: stand.url };
  return new Promise<{ code: number; lines: unknown[]; error: string }>((resolve) => {
    execFile(process.execPath, [TOOL, ...args], { env }, (failure, stdout, stderr) => {
      const lines = stdout.split('\n').filter(Boolean);
      resolve({
        code: Number(failure?.code ?? 0),
        lines: lines.map((line): unknown => JSON.parse(line)),
        error: stderr,
      });
    });
  });
}

test('an operator pauses, edits, resumes, cancels and looks back, and is refused what must not be', async () => {
  expect(await show('pause', '1')).toMatchObject({ code: 0, lines: [{ id: 1, version: 2 }] });
  expect(await show('edit', '1', '{"title": "Łódź", "sale": {"admittedMax": 7}}')).toMatchObject({ code: 0 });
  const stale = await show('resume', '1', '--version', '2');
  expect(stale).toMatchObject({ code: 1, error: 'Somebody has edited the show since.\n' });
  expect(await show('resume', '1')).toMatchObject({ code: 0 });
  const { lines } = await show('list');
  expect(lines).toMatchObject([
    { id: 1, title: 'Łódź', paused: false, version: 4 },
    { id: 2, paused: false, version: 1 },
  ]);
  expect((await show('history', '1')).lines).toHaveLength(3);
  expect((await show('delete', '2')).code).toBe(1);
  expect(await show('cancel', '2')).toMatchObject({ code: 0, lines: [{ id: 2, version: 2 }] });
  expect((await show('resume', '2')).error).toBe('The show is cancelled.\n');
});

test('what it does not understand changes nothing', async () => {
  for (const args of [
    ['burn', '1'],
    ['edit', '1', '{"venue": "x"}'],
    ['edit', '1'],
    ['pause', 'x'],
    ['pause', '1', '--version', 'x'],
    ['pause', '1', '--vresion', '1'],
  ]) {
    expect((await show(...args)).code).toBe(2);
  }
  expect((await show('pause', '99')).error).toBe('There is no such show.\n');
});

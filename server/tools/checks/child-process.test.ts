import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runGuarded } from './child-process.ts';
import { isAlive } from '../stack/native-process.ts';
import { waitUntil } from '../stack/wait-until.ts';

/** To start a program or to end one, on a machine that is busy with other things. */
const TIME_ENOUGH_MS = 12_000;

it('returns what a program printed and how it ended', async () => {
  const { code, output } = await runGuarded('/bin/sh', ['-c', 'echo one; echo two >&2; exit 3']);
  expect(code).toBe(3);
  expect(output).toBe('one\ntwo\n');
});

it('a program that is not there is one that failed', async () => {
  const { code, output } = await runGuarded('/no/such/program', []);
  expect(code).toBe(127);
  expect(output).toContain('ENOENT');
});

it('ends a program that takes too long, with what it started', async () => {
  const { code, output } = await runGuarded('/bin/sh', ['-c', 'sleep 60 & echo $!; wait'], { withinMs: 300 });
  expect(code).toBeGreaterThanOrEqual(128);
  expect(output).toContain('It took longer than 0.3 s.');
  const grandchild = Number(output.split('\n')[0]);
  expect(await waitUntil(() => !isAlive(grandchild), TIME_ENOUGH_MS)).toBe(true);
});

it('what it runs dies with its owner, even if that is killed', async () => {
  const url = new URL('child-process.ts', import.meta.url).href;
  const folder = mkdtempSync(join(tmpdir(), 'stampede-guarded-'));
  const pidFile = join(folder, 'pid');
  const guardedFile = join(folder, 'guarded');
  // The program runs a moment before its guard does: an owner killed in between leaves it behind.
  const script = `
    const { writeFileSync } = await import('node:fs');
    const { runGuarded } = await import(${JSON.stringify(url)});
    const ended = runGuarded('/bin/sh', ['-c', 'echo $$ > "$0"; exec sleep 60', ${JSON.stringify(pidFile)}]);
    writeFileSync(${JSON.stringify(guardedFile)}, '');
    await ended;
  `;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const isGuarded = () => existsSync(guardedFile) && existsSync(pidFile) && readFileSync(pidFile).length > 0;
  expect(await waitUntil(isGuarded, TIME_ENOUGH_MS)).toBe(true);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  expect(isAlive(pid)).toBe(true);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(await waitUntil(() => !isAlive(pid), TIME_ENOUGH_MS)).toBe(true);
  rmSync(folder, { recursive: true });
});

import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './process-life.ts';
import { type Report, StackError } from './stack-error.ts';
import { waitUntil } from './wait-until.ts';

/** A first run downloads for minutes; longer than this something hangs. */
const OTHER_WITHIN_MS = 900_000;
const LOOK_EVERY_MS = 250;

/** Runs `task` while no other task works on the same stack. One that was killed holds nobody up. */
export async function withStackLock(
  folder: string,
  report: Report,
  task: () => Promise<void>,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'lock');
  if (!take(file)) {
    report('another task works on the stack; waiting for it');
    if (!(await waitUntil(() => take(file), OTHER_WITHIN_MS, LOOK_EVERY_MS))) {
      throw new StackError(`Another task has worked on the stack for too long. If it hangs, end process ${holder(file)}.`); // prettier-ignore
    }
  }
  try {
    await task();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  if (existsSync(file) && !isAlive(holder(file))) rmSync(file, { force: true });
  try {
    const lock = openSync(file, 'wx');
    writeSync(lock, String(process.pid));
    closeSync(lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function holder(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    // Released since we looked.
    return 0;
  }
}

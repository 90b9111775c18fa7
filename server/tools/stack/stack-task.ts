import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './process-life.ts';
import { readOptions, TaskError } from '../tasks/task.ts';
import { STACK_FOLDER } from './stack-folder.ts';
import { waitUntil } from './wait-until.ts';

/** A first run downloads for minutes; longer than this something hangs. */
const OTHER_WITHIN_MS = 900_000;
const LOOK_EVERY_MS = 250;
const LOCK = join(STACK_FOLDER, 'lock');

/** Standard output is for settings alone. */
export const print = (line: string): void => console.error(line);

/**
 * Runs a task while no other works on the stack; one that was killed holds nobody up. What is wrong is told in a line.
 * @param flag what the command line may say
 * @returns the exit code
 */
export async function runStackTask(
  args: readonly string[],
  flag: string,
  task: (isSet: boolean) => Promise<void>,
): Promise<number> {
  try {
    const known = { hint: `Known: --${flag}.` };
    const isSet = readOptions(args, { [flag]: { type: 'boolean' } }, known).values[flag] === true;
    mkdirSync(STACK_FOLDER, { recursive: true });
    if (!take()) {
      print('another task works on the stack; waiting for it');
      if (!(await waitUntil(take, OTHER_WITHIN_MS, LOOK_EVERY_MS))) {
        throw new TaskError(
          `Another task has worked on the stack for too long. If it hangs, end process ${holder()}.`,
        );
      }
    }
    await task(isSet).finally(() => rmSync(LOCK, { force: true }));
    return 0;
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    print(error.message);
    return 1;
  }
}

function take(): boolean {
  if (existsSync(LOCK) && !isAlive(holder())) rmSync(LOCK, { force: true });
  try {
    const lock = openSync(LOCK, 'wx');
    writeSync(lock, String(process.pid));
    closeSync(lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function holder(): number {
  try {
    return Number(readFileSync(LOCK, 'utf8'));
  } catch {
    // Released since we looked.
    return 0;
  }
}

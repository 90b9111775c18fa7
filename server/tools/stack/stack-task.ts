import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './native-process.ts';
import { STACK_FOLDER } from './stack-environment.ts';
import { waitUntil } from './wait-until.ts';
import { readOptions, type Report, TaskError } from '../tasks/task.ts';

/** Silence longer than this looks like a hang. */
const REMINDER_MS = 10_000;
const NAME_WIDTH = 7;

/**
 * Tells on one line each what happens to a part, and how long a step takes while it goes on.
 * @param work is given what to report to, and returns its result with the last words on it
 */
export async function withPartProgress<Result>(
  part: string,
  print: (line: string) => void,
  work: (report: Report) => Promise<{ readonly result: Result; readonly said: string }>,
): Promise<Result> {
  const startedMs = performance.now();
  const seconds = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  const line = (message: string): void => print(`${part.padEnd(NAME_WIDTH)} ${message}`);
  let step = 'looking after it';
  const reminder = setInterval(() => line(`${step} … ${seconds()}`), REMINDER_MS);
  const report: Report = (message) => {
    step = message;
    line(`${message} …`);
  };
  try {
    const { result, said } = await work(report);
    line(`${said} (${seconds()})`);
    return result;
  } catch (error) {
    line(`failed (${seconds()})`);
    throw error;
  } finally {
    clearInterval(reminder);
  }
}

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

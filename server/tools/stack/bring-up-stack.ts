import { findComposeStack } from './compose-stack.ts';
import { isStackRunning, type RunningPart, startPart } from './native-stack.ts';
import {
  STACK_FOLDER,
  stackEnvironment,
  writeStackEnvironment,
  PART_NAMES,
  type PartName,
} from './stack-environment.ts';
import { print, runStackTask, withPartProgress } from './stack-task.ts';
import { TaskError } from '../tasks/task.ts';

async function bringUp(native: boolean): Promise<readonly RunningPart[]> {
  // What runs already stays, even if an engine was started since.
  const compose = native || isStackRunning() ? undefined : await findComposeStack(STACK_FOLDER);
  if (compose === undefined) return bringUpNatively();
  return withPartProgress('docker', print, async (report) => {
    const parts = await compose.start(report);
    return { result: parts, said: `${parts.map(({ name }) => name).join(', ')} run` };
  });
}

async function bringUpNatively(): Promise<readonly RunningPart[]> {
  const start = (name: PartName): Promise<RunningPart> =>
    withPartProgress(name, print, async (report) => {
      const part = await startPart(name, report);
      return { result: part, said: `${part.product} ${part.outcome === 'started' ? 'runs' : 'was running'}` };
    });
  // All of them come to an end before anything is said of the whole: one that failed doesn't leave others half up.
  const results = await Promise.allSettled(PART_NAMES.map(start));
  const errors: unknown[] = results.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  );
  const messages = errors.map((error) => {
    if (error instanceof TaskError) return error.message;
    throw new Error('The stack could not be brought up.', { cause: error });
  });
  if (messages.length > 0) throw new TaskError(messages.join('\n'));
  return results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/**
 * Brings the stack up, in containers where an engine answers unless `--native` is told, and prints the settings that
 * point to it on standard output, everything else on standard error.
 * @returns the exit code
 */
export const bringUpStack = (args: readonly string[]): Promise<number> =>
  runStackTask(args, 'native', async (native) => {
    const environment = stackEnvironment(await bringUp(native));
    const file = writeStackEnvironment(STACK_FOLDER, environment);
    print(`The stack runs; its settings, also in ${file}:`);
    for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`);
  });

import { type ComposeStack, findComposeStack } from './compose-stack.ts';
import { NativeStack, PART_NAMES, type PartName, type RunningPart } from './native-stack.ts';
import { withPartProgress } from './part-progress.ts';
import { readArguments } from './stack-arguments.ts';
import { stackEnvironment, writeStackEnvironment } from './stack-environment.ts';
import { StackError } from './stack-error.ts';
import { STACK_FOLDER } from './stack-folder.ts';
import { withStackLock } from './stack-lock.ts';

const print = (line: string): void => console.error(line);

/**
 * Brings the stack up and prints the settings that point to it on standard output, everything else on standard
 * error.
 * @returns the exit code
 */
export async function bringUpStack(args: readonly string[]): Promise<number> {
  try {
    const { native } = readArguments(args, ['native']);
    await withStackLock(STACK_FOLDER, print, async () => {
      const parts = await bringUp(native);
      const environment = stackEnvironment(parts);
      const file = writeStackEnvironment(STACK_FOLDER, environment);
      print(`The stack runs; its settings, also in ${file}:`);
      for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`);
    });
    return 0;
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    print(error.message);
    return 1;
  }
}

async function bringUp(native: boolean): Promise<readonly RunningPart[]> {
  const stack = new NativeStack(STACK_FOLDER);
  // What runs already stays, even if an engine was started since.
  const compose = native || stack.isRunning() ? undefined : await findComposeStack(STACK_FOLDER);
  return compose === undefined ? bringUpNatively(stack) : bringUpInContainers(compose);
}

function bringUpInContainers(compose: ComposeStack): Promise<readonly RunningPart[]> {
  return withPartProgress('docker', print, async (report) => {
    const parts = await compose.start(report);
    return { result: parts, said: `${parts.map(({ name }) => name).join(', ')} run` };
  });
}

async function bringUpNatively(stack: NativeStack): Promise<readonly RunningPart[]> {
  const start = (name: PartName): Promise<RunningPart> =>
    withPartProgress(name, print, async (report) => {
      const part = await stack.start(name, report);
      return { result: part, said: `${part.product} ${part.outcome === 'started' ? 'runs' : 'was running'}` };
    });
  // All of them come to an end before anything is said of the whole: one that failed doesn't leave others half up.
  const results = await Promise.allSettled(PART_NAMES.map(start));
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const unexpected = errors.find((error) => !(error instanceof StackError));
  if (unexpected !== undefined) throw new Error('The stack could not be brought up.', { cause: unexpected });
  const messages = errors.flatMap((error) => (error instanceof StackError ? [error.message] : []));
  if (messages.length > 0) throw new StackError(messages.join('\n'));
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

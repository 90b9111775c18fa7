import { findComposeStack } from './compose-stack.ts';
import { NativeStack, PART_NAMES, type PartName } from './native-stack.ts';
import { readArguments } from './stack-arguments.ts';
import { removeStackEnvironment } from './stack-environment.ts';
import { StackError } from './stack-error.ts';
import { STACK_FOLDER } from './stack-folder.ts';
import { withStackLock } from './stack-lock.ts';

const print = (line: string): void => console.error(line);

/**
 * Stops every part of the stack that runs, and with `--wipe` deletes what they stored.
 * @returns the exit code
 */
export async function takeDownStack(args: readonly string[]): Promise<number> {
  try {
    const flags = readArguments(args, ['wipe']);
    // `npm run stack:down --wipe`, without the dashes that pass it on, leaves the flag with npm.
    const wipe = flags.wipe || process.env.npm_config_wipe === 'true';
    await withStackLock(STACK_FOLDER, print, () => takeDown(wipe));
    return 0;
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    print(error.message);
    return 1;
  }
}

async function takeDown(wipe: boolean): Promise<void> {
  const stack = new NativeStack(STACK_FOLDER);
  const stop = async (name: PartName): Promise<void> => {
    const pid = await stack.stop(name);
    print(`${name.padEnd(7)} ${pid === undefined ? 'was not running' : `stopped (process ${pid})`}`);
    if (wipe) stack.wipe(name);
  };
  await Promise.all(PART_NAMES.map(stop));
  const compose = await findComposeStack(STACK_FOLDER);
  await compose?.stop(wipe);
  removeStackEnvironment(STACK_FOLDER);
  if (wipe) print('Its data is deleted.');
}

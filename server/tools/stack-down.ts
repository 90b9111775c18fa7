/** `npm run stack:down`: stops what `npm run stack` started; with `-- --wipe` its data goes, too. */
import { findComposeStack } from './stack/compose-stack.ts';
import { stopPart, wipePart } from './stack/native-stack.ts';
import { removeStackEnvironment, STACK_FOLDER, PART_NAMES } from './stack/stack-environment.ts';
import { print, runStackTask } from './stack/stack-task.ts';

process.exitCode = await runStackTask(process.argv.slice(2), 'wipe', async (isSet) => {
  // `npm run stack:down --wipe`, without the dashes that pass it on, leaves the flag with npm.
  const wipe = isSet || process.env.npm_config_wipe === 'true';
  const stop = async (name: (typeof PART_NAMES)[number]): Promise<void> => {
    const pid = await stopPart(name);
    print(`${name.padEnd(7)} ${pid === undefined ? 'was not running' : `stopped (process ${pid})`}`);
    if (wipe) wipePart(name);
  };
  await Promise.all(PART_NAMES.map(stop));
  const compose = await findComposeStack(STACK_FOLDER);
  await compose?.stop(wipe);
  removeStackEnvironment(STACK_FOLDER);
  if (wipe) print('Its data is deleted.');
});

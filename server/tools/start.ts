/**
 * `npm start`: the client is built when its sources changed, then the server runs. With `--stack` on real Redis, MySQL
 * and Kafka, which are brought up if they don't run, with `--gateways N` as several processes, and with `--nginx`
 * behind the proxy of production.
 */
import { buildClient } from './client-build/build-client.ts';
import { readStartArguments, type StartArguments, StartArgumentsError } from './start/start-arguments.ts';
import { runFleet } from './start/start-fleet.ts';
import { bringUpStack } from './stack/bring-up-stack.ts';
import { readStackEnvironment } from './stack/stack-environment.ts';
import { StackError } from './stack/stack-error.ts';
import { STACK_FOLDER } from './stack/stack-folder.ts';

const EXIT_USAGE = 2;

async function start({ stack, gateways, nginx }: StartArguments): Promise<void> {
  if ((await buildClient()) === 'failed') {
    process.exitCode = 1;
    return;
  }
  if (stack) {
    process.exitCode = await bringUpStack([]);
    if (process.exitCode !== 0) return;
    Object.assign(process.env, readStackEnvironment(STACK_FOLDER));
  }
  if (gateways > 1 || nginx) process.exitCode = await runFleet(gateways, nginx);
  // In this process rather than a child, so that signals and the exit code need no passing on.
  else await import('../src/main.ts');
}

try {
  await start(readStartArguments(process.argv.slice(2)));
} catch (cause) {
  if (!(cause instanceof StartArgumentsError) && !(cause instanceof StackError)) throw cause;
  console.error(cause.message);
  process.exitCode = EXIT_USAGE;
}

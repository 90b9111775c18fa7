/**
 * `npm start`: the client is built when its sources changed, then the server runs. With `--stack` on real Redis, MySQL
 * and Kafka, which are brought up if they don't run, with `--gateways N` as several processes, and with `--nginx`
 * behind the proxy of production.
 */
import { buildClient } from './client-build/build-client.ts';
import { bringUpStack } from './stack/bring-up-stack.ts';
import { readStackEnvironment, STACK_FOLDER } from './stack/stack-environment.ts';
import { readStartArguments } from './start/start-arguments.ts';
import { runFleet } from './start/start-fleet.ts';
import { runTask } from './tasks/task.ts';

await runTask(async () => {
  const { stack, gateways, nginx } = readStartArguments(process.argv.slice(2));
  if ((await buildClient()) === 'failed') return 1;
  if (stack) {
    const code = await bringUpStack([]);
    if (code !== 0) return code;
    Object.assign(process.env, readStackEnvironment(STACK_FOLDER));
  }
  if (gateways > 1 || nginx) return runFleet(gateways, nginx);
  // In this process rather than a child, so that signals and the exit code need no passing on.
  await import('../src/main.ts');
  return undefined;
});

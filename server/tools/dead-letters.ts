/** `npm run dead-letters`: shows the payments that were put aside, and hands them to the workers again. */
import { resolve } from 'node:path';
import { openPaymentLog } from '../src/adapters.ts';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/platform/logger.ts';
import { Metrics } from '../src/platform/metrics.ts';
import { machineOutside } from '../src/platform/outside.ts';
import { runTask } from './tasks/task.ts';

const USAGE = `Looks after payments that could not be settled, with the settings of the server (.env.example).

  npm run dead-letters -- list     one line of JSON each: reason, error, instant, and the record as it was found
  npm run dead-letters -- replay   hands every one to the workers again and says how many there were

The embedded database belongs to one process: stop the server first, or let it use another database.`;

async function lookAfter(task: 'list' | 'replay'): Promise<void> {
  const config = readConfig(process.env);
  // Beside what was asked for, which others read.
  const logger = createLogger({ level: config.logLevel, readable: process.stderr.isTTY, to: process.stderr });
  const dataDir = resolve(config.dataDir);
  const outside = machineOutside((message, cause) => logger.error({ err: cause }, message));
  const metrics = new Metrics(outside.clock);
  const { paymentLog, close } = await openPaymentLog({ config, dataDir, outside, logger, metrics });
  try {
    if (task === 'replay') console.log(`${await paymentLog.replay()} payments were handed over again.`);
    else for (const letter of await paymentLog.deadLetters()) console.log(JSON.stringify(letter));
  } finally {
    await close();
  }
}

await runTask(async () => {
  const [task] = process.argv.slice(2);
  if (task === 'list' || task === 'replay') await lookAfter(task);
  else console.log(USAGE);
  return undefined;
});

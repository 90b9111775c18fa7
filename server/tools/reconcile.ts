/** `npm run reconcile`: compares the live seats in Redis with the rows in the database, also while selling goes on. */
import { differencesOf, reconcileShow } from '../src/sale/reconcile-show.ts';
import { openBooks } from './reconcile/reconcile-books.ts';
import { describeShow, summarise } from './reconcile/reconcile-report.ts';
import { readStackEnvironment, STACK_FOLDER } from './stack/stack-environment.ts';
import { readOptions, runTask } from './tasks/task.ts';

const EXIT_DIFFERENT = 1;

const USAGE = `Compares who has which seats live (REDIS_URL) and in the database (DATABASE_URL), for every show.

  npm run reconcile [-- --json]

Without these settings: the servers of npm run stack. Orders that are being settled meanwhile are no differences.
The last line on standard output is a summary as JSON; with --json it is the only one there, and the rest goes to
standard error. Exit code: 0 without differences, 1 with, 2 if it can't be told.`;

const flag = { type: 'boolean', default: false } as const;

async function reconcile(toError: boolean): Promise<number> {
  const say = toError ? process.stderr : process.stdout;
  const isSet = process.env['REDIS_URL'] || process.env['DATABASE_URL'];
  const stack = isSet ? undefined : readStackEnvironment(STACK_FOLDER);
  const books = await openBooks({ ...process.env, ...stack });
  try {
    const { shows } = books;
    const results = await Promise.all(shows.map((show) => reconcileShow(books, show.id)));
    for (const [index, result] of results.entries()) {
      say.write(`${describeShow(shows[index]?.title ?? '', result).join('\n')}\n`);
    }
    process.stdout.write(`${JSON.stringify(summarise(results))}\n`);
    return results.some((result) => differencesOf(result) > 0) ? EXIT_DIFFERENT : 0;
  } finally {
    await books.close();
  }
}

await runTask(async () => {
  const options = { json: flag, help: { ...flag, short: 'h' } } as const;
  const { json, help } = readOptions(process.argv.slice(2), options).values;
  if (!help) return reconcile(json);
  process.stdout.write(`${USAGE}\n`);
  return undefined;
});

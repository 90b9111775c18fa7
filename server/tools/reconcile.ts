/** `npm run reconcile`: compares the live seats in Redis with the rows in the database, also while selling goes on. */
import { parseArgs } from 'node:util';
import { describeShow, summarise } from './reconcile/reconcile-report.ts';
import { CannotReconcile, openBooks } from './reconcile/reconcile-books.ts';
import { differencesOf, reconcileShow } from '../src/sale/reconcile-show.ts';
import { readStackEnvironment } from './stack/stack-environment.ts';
import { STACK_FOLDER } from './stack/stack-folder.ts';

const EXIT_DIFFERENT = 1;
const EXIT_CANNOT = 2;

const USAGE = `Compares who has which seats live (REDIS_URL) and in the database (DATABASE_URL), for every show.

  npm run reconcile [-- --json]

Without these settings: the servers of npm run stack. Orders that are being settled meanwhile are no differences.
The last line on standard output is a summary as JSON; with --json it is the only one there, and the rest goes to
standard error. Exit code: 0 without differences, 1 with, 2 if it can't be told.`;

function readFlags(): { json: boolean; help: boolean } {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { json: flag, help: { ...flag, short: 'h' } } }).values;
  } catch (cause) {
    throw new CannotReconcile(`${cause instanceof Error ? cause.message : String(cause)} See --help.`);
  }
}

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

try {
  const { json, help } = readFlags();
  if (help) process.stdout.write(`${USAGE}\n`);
  else process.exitCode = await reconcile(json);
} catch (cause) {
  if (!(cause instanceof CannotReconcile)) throw cause;
  process.stderr.write(`${cause.message}\n`);
  process.exitCode = EXIT_CANNOT;
}

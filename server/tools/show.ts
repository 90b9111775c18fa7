/** `npm run show`: lists, pauses, edits, cancels and deletes shows while the servers sell them. */
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { catalogTables } from '../src/catalog/catalog-tables.ts';
import { showChange } from '../src/catalog/show.ts';
import { SqlCatalogStore } from '../src/catalog/sql-catalog-store.ts';
import { openMysqlDatabase } from '../src/platform/database-mysql.ts';
import { showId } from '../src/platform/ids.ts';
import { readStackEnvironment, STACK_FOLDER } from './stack/stack-environment.ts';
import { readOptions, runTask, TaskError } from './tasks/task.ts';

const EXIT_REFUSED = 1;

const USAGE = `Shows of the database that DATABASE_URL names; without it, of npm run stack.

  npm run show -- list
  npm run show -- pause ID | resume ID | cancel ID | delete ID | history ID
  npm run show -- edit ID '{"title": "…", "prices": [4200, 2100], "sale": {"closesAt": 1900000000000}}'

Every server knows of it within two seconds. --version N refuses if the show was edited since its version N.
A cancelled show stays cancelled; one with tickets, or still on sale, can't be deleted. Prints JSON, a line a show.
Exit code: 0 done, 1 refused, 2 not understood.`;

const WORDS = {
  unknown: 'There is no such show.',
  'edited-meanwhile': 'Somebody has edited the show since.',
  cancelled: 'The show is cancelled.',
  'other-price-levels': 'There must be one price for each price level of the venue.',
  'has-tickets': 'Somebody has a ticket of the show.',
  'not-over': 'The show is on sale, or was an hour ago: payments may be on their way.',
};

/** @returns whether it was done */
async function run(store: SqlCatalogStore, args: readonly string[], version?: string): Promise<boolean> {
  const [command = '', number = '', json] = args;
  const { shows } = await store.contents();
  const say = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
  if (command === 'list') {
    for (const { id, title, paused, cancelled, version: of } of shows)
      say({ id, title, paused, cancelled, version: of });
    return true;
  }
  if (!/^[1-9]\d{0,9}$/.test(number)) throw new TaskError('The number of the show is missing. See --help.');
  const id = showId(Number(number));
  if (command === 'history') {
    for (const { text } of await store.history(id)) process.stdout.write(`${text}\n`);
    return true;
  }
  const known =
    version === undefined ? (shows.find((show) => show.id === id)?.version ?? 0) : Number(version);
  if (!Number.isSafeInteger(known)) throw new TaskError('--version takes a whole number.');
  const now = systemClock.now();
  const commands: Readonly<Record<string, () => ReturnType<typeof store.edit>>> = {
    pause: () => store.edit(id, known, { paused: true }),
    resume: () => store.edit(id, known, { paused: false }),
    edit: () => store.edit(id, known, changeOf(json)),
    cancel: () => store.cancel(id, known, now),
    delete: () => store.delete(id, known, now),
  };
  const result = await commands[command]?.();
  if (!result) throw new TaskError(`There is no command ${JSON.stringify(command)}. See --help.`);
  if (result.ok) say({ id, version: result.version });
  else process.stderr.write(`${WORDS[result.why]}\n`);
  return result.ok;
}

function changeOf(json = '') {
  try {
    return showChange.parse(JSON.parse(json));
  } catch (cause) {
    throw new TaskError(`That is no edit of a show: ${String(cause)}`, { cause });
  }
}

await runTask(async () => {
  const options = { version: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = readOptions(process.argv.slice(2), options, { positionals: true });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return undefined;
  }
  const url = process.env['DATABASE_URL'] ?? readStackEnvironment(STACK_FOLDER)?.['DATABASE_URL'];
  if (!url) throw new TaskError('DATABASE_URL is not set, and npm run stack does not run.');
  const database = await openMysqlDatabase(url, catalogTables, {
    clock: systemClock,
    random: systemRandom,
    onTrouble: (message) => process.stderr.write(`${message}\n`),
    migrations: 'await',
  });
  try {
    const isDone = await run(new SqlCatalogStore(database), positionals, values.version);
    return isDone ? 0 : EXIT_REFUSED;
  } finally {
    await database.close();
  }
});

/** `npm run faults -- mixed`: sells on real servers of its own while they fail, and compares every word with the database. */
import { runMixedFaults } from './faults/mixed-faults.ts';
import { readOptions, runTask, TaskError, wholeNumber } from './tasks/task.ts';

const EXIT_NOT_HELD = 1;
const PEOPLE_MAX = 1_000;
const SEED_MAX = 2 ** 32 - 1;
const HOLD_LIFETIME_MS = 15_000;
const USAGE =
  'npm run faults -- mixed [--minutes 20] [--people 40] [--seed N] [--only TEXT …] [--json]\n' +
  '  --only: faults whose name has this text, or one of them; --json: the result alone, on one line';

const OPTIONS = {
  minutes: { type: 'string', default: '20' },
  people: { type: 'string', default: '40' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
} as const;

await runTask(async () => {
  const hint = USAGE;
  const { values, positionals } = readOptions(process.argv.slice(2), OPTIONS, { positionals: true, hint });
  const { json, only } = values;
  const minutes = Number(values.minutes);
  if (!(minutes > 0) || positionals.join() !== 'mixed') throw new TaskError(USAGE);
  const people = wholeNumber('--people', values.people, 1, PEOPLE_MAX);
  const seed = wholeNumber('--seed', values.seed, 0, SEED_MAX);
  const since = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - since) / 1_000).toFixed(0).padStart(5);
    (json ? console.error : console.log)(`${seconds} s  ${line}`);
  };
  const result = await runMixedFaults({ minutes, people, seed, only, holdLifetimeMs: HOLD_LIFETIME_MS, say });
  console.log(json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
  // What was broken on purpose may keep its connections.
  process.exit(result.held ? 0 : EXIT_NOT_HELD);
});

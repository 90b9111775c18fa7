/** `npm run faults -- mixed`: sells on real servers of its own while they fail, and compares every word with the database. */
import { parseArgs } from 'node:util';
import { runMixedFaults } from './faults/mixed-faults.ts';

const EXIT_NOT_HELD = 1;
const EXIT_USAGE = 2;
const HOLD_LIFETIME_MS = 15_000;
const USAGE =
  'npm run faults -- mixed [--minutes 20] [--people 40] [--seed N] [--only TEXT …] [--json]\n' +
  '  --only: faults whose name has this text, or one of them; --json: the result alone, on one line';

interface Arguments {
  readonly minutes: number;
  readonly people: number;
  readonly seed: number;
  readonly only: readonly string[];
  readonly json: boolean;
}

/** Null where they make no sense. */
function readArguments(): Arguments | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        minutes: { type: 'string', default: '20' },
        people: { type: 'string', default: '40' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
      },
    });
    const [minutes, people, seed] = [Number(values.minutes), Number(values.people), Number(values.seed)];
    const makesSense = minutes > 0 && Number.isInteger(people) && people > 0 && Number.isInteger(seed);
    if (!makesSense || positionals.length !== 1 || positionals[0] !== 'mixed') return null;
    return { minutes, people, seed, only: values.only, json: values.json };
  } catch {
    return null;
  }
}

const args = readArguments();
if (!args) {
  console.error(USAGE);
  process.exit(EXIT_USAGE);
}
const since = performance.now();
const say = (line: string): void => {
  const seconds = ((performance.now() - since) / 1_000).toFixed(0).padStart(5);
  (args.json ? console.error : console.log)(`${seconds} s  ${line}`);
};
const result = await runMixedFaults({ ...args, holdLifetimeMs: HOLD_LIFETIME_MS, say });
console.log(args.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
process.exit(result.held ? 0 : EXIT_NOT_HELD);

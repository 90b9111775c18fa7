import { notAllowed, readOptions, TaskError, wholeNumber } from '../tasks/task.ts';

export interface BenchArguments {
  /** Benchmarks to run. */
  readonly names: readonly string[];
  readonly json: boolean;
  readonly runs: number;
  /** Share of the full load. */
  readonly size: number;
  /** The folder for CPU profiles of our servers; null: they run without. */
  readonly profile: string | null;
}

const ALL = 'all';
const RUNS = 5;
const RUNS_MAX = 99;
const SIZE_MIN = 0.01;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  runs: { type: 'string', default: String(RUNS) },
  size: { type: 'string', default: '1' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** How the task is used; lists the benchmarks. */
export function usage(names: readonly string[]): string {
  return `Measures Stampede beside a yardstick that runs on the same machine at the same time.

  npm run bench -- NAME [NAME…] [--json] [--runs N] [--size S] [--profile FOLDER]

  NAME              ${[...names, ALL].join(', ')}
  --json            print only a line of JSON for each on standard output; everything else on standard error
  --runs N          how often each is measured, 1 to ${RUNS_MAX}; default ${RUNS}. The median counts
  --size S          share of the load, ${SIZE_MIN} to 1, to try whether it works; figures of less than 1 count for nothing
  --profile FOLDER  a .cpuprofile of each of our servers, by \`node --cpu-prof\`; figures are lower meanwhile

\`all\` measures everything (half an hour) and writes docs/benchmarks.md, unless it is a trial or profiled.`;
}

/** Whether the figures count for nothing. */
export const isTrial = ({ size, profile }: BenchArguments): boolean => size < 1 || profile !== null;

/**
 * Reads the command line; null where help is asked for.
 * @throws TaskError that names what is wrong
 */
export function readArguments(args: readonly string[], known: readonly string[]): BenchArguments | null {
  const { values, positionals } = readOptions(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  const choice = [...known, ALL].join(', ');
  if (positionals.length === 0) throw new TaskError(`Which benchmark? There are: ${choice}.`);
  const unknown = positionals.find((name) => name !== ALL && !known.includes(name));
  if (unknown !== undefined) {
    throw new TaskError(`There is no benchmark ${JSON.stringify(unknown)}. There are: ${choice}.`);
  }
  return {
    names: positionals.includes(ALL) ? known : positionals,
    json: values.json,
    runs: wholeNumber('--runs', values.runs, 1, RUNS_MAX),
    size: shareOf(values.size),
    profile: values.profile ?? null,
  };
}

function shareOf(text: string): number {
  const share = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (share >= SIZE_MIN && share <= 1) return share;
  throw notAllowed('--size', text, `a number from ${SIZE_MIN} to 1`);
}

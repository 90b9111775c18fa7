import { parseArgs } from 'node:util';
import { BenchError } from './benchmark.ts';

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
 * @throws BenchError that names what is wrong
 */
export function readArguments(args: readonly string[], known: readonly string[]): BenchArguments | null {
  const { values, positionals } = parsed(args);
  if (values.help) return null;
  const choice = [...known, ALL].join(', ');
  if (positionals.length === 0) throw new BenchError(`Which benchmark? There are: ${choice}.`);
  const unknown = positionals.find((name) => name !== ALL && !known.includes(name));
  if (unknown !== undefined) {
    throw new BenchError(`There is no benchmark ${JSON.stringify(unknown)}. There are: ${choice}.`);
  }
  const runs = numberOf('--runs', values.runs, 1, RUNS_MAX);
  if (!Number.isInteger(runs)) throw new BenchError(`--runs: ${runs} is not a whole number.`);
  return {
    names: positionals.includes(ALL) ? known : positionals,
    json: values.json,
    runs,
    size: numberOf('--size', values.size, SIZE_MIN, 1),
    profile: values.profile ?? null,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        runs: { type: 'string', default: String(RUNS) },
        size: { type: 'string', default: '1' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    throw new BenchError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new BenchError(`${name}: ${JSON.stringify(text)} is not a number from ${min} to ${max}.`);
}

import { parseArgs } from 'node:util';
import { BenchError } from './bench-error.ts';

export interface BenchArguments {
  /** A benchmark's name, or `all`. */
  readonly name: string;
  readonly json: boolean;
  readonly runs: number;
  /** Share of the full load; below 1 the figures are a trial. */
  readonly size: number;
  /** Where the servers' CPU profiles go; null: none are taken. */
  readonly profile: string | null;
}

export const ALL = 'all';

const RUNS = 5;
const RUNS_MAX = 99;
const SIZE_MIN = 0.01;

/** How the task is used; lists the benchmarks. */
export function usage(names: readonly string[]): string {
  return `Measures Stampede beside a yardstick that runs on the same machine at the same time.

  npm run bench -- NAME [--json] [--runs N]

  NAME      ${[...names, ALL].join(', ')}
  --json    print only the last line, one JSON object, on standard output; everything else on standard error
  --runs N  how often each is measured, 1 to ${RUNS_MAX}; default ${RUNS}. The median counts
  --profile FOLDER  take CPU profiles of our servers while they are measured, list what costs most, and keep them there;
            figures are lower then
  --size S  share of the load, ${SIZE_MIN} to 1, to try whether it works; figures of less than 1 count for nothing

\`all\` measures everything (half an hour) and writes docs/benchmarks.md, unless --size is below 1 or profiles are taken.`;
}

/**
 * Reads the command line; null where help is asked for.
 * @throws BenchError that names what is wrong
 */
export function readArguments(args: readonly string[], names: readonly string[]): BenchArguments | null {
  const { values, positionals } = parsed(args);
  if (values.help) return null;
  const [name, ...more] = positionals;
  const known = [...names, ALL].join(', ');
  if (name === undefined) throw new BenchError(`Which benchmark? There are: ${known}.`);
  if (more.length > 0) throw new BenchError(`One benchmark at a time; ${more.join(', ')} can follow.`);
  if (name !== ALL && !names.includes(name)) {
    throw new BenchError(`There is no benchmark ${JSON.stringify(name)}. There are: ${known}.`);
  }
  const runs = numberOf('--runs', values.runs, 1, RUNS_MAX);
  if (!Number.isInteger(runs)) throw new BenchError(`--runs: ${runs} is not a whole number.`);
  const size = numberOf('--size', values.size, SIZE_MIN, 1);
  return { name, json: values.json, runs, size, profile: values.profile ?? null };
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

import { parseArgs } from 'node:util';
import { BenchError } from './bench-error.ts';
import type { Wanted } from './observing/observer-for.ts';

export interface BenchArguments {
  /** A benchmark's name, or `all`. */
  readonly name: string;
  readonly json: boolean;
  readonly runs: number;
  /** Share of the full load; below 1 the figures are a trial. */
  readonly size: number;
  /** null: our servers are measured without being observed. */
  readonly observe: Wanted | null;
}

export const ALL = 'all';

const RUNS = 5;
const RUNS_MAX = 99;
const SIZE_MIN = 0.01;

/** How the task is used; lists the benchmarks. */
export function usage(names: readonly string[]): string {
  return `Measures Stampede beside a yardstick that runs on the same machine at the same time.

  npm run bench -- NAME [--json] [--runs N] [--size S] [--profile FOLDER | --syscalls FOLDER]

  NAME      ${[...names, ALL].join(', ')}
  --json    print only the last line, one JSON object, on standard output; everything else on standard error
  --runs N  how often each is measured, 1 to ${RUNS_MAX}; default ${RUNS}. The median counts
  --size S  share of the load, ${SIZE_MIN} to 1, to try whether it works; figures of less than 1 count for nothing

Gateway and worker can be observed while they are measured, and only then; figures are lower meanwhile:

  --profile FOLDER   CPU time by function and event-loop delay. FOLDER gets a .cpuprofile of each process and
                     measured window, and a report as Markdown
  --syscalls FOLDER  system calls, counted by strace, which slows them several times. FOLDER gets the counts, and a
                     report as Markdown

\`all\` measures everything (half an hour) and writes docs/benchmarks.md, unless --size is below 1 or something is observed.`;
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
  return { name, json: values.json, runs, size, observe: wanted(values) };
}

function wanted({ profile, syscalls }: { profile?: string; syscalls?: string }): Wanted | null {
  if (profile !== undefined && syscalls !== undefined) {
    throw new BenchError('--profile or --syscalls, not both: strace slows what the profile would show.');
  }
  if (profile !== undefined) return { kind: 'profile', folder: profile };
  return syscalls === undefined ? null : { kind: 'syscalls', folder: syscalls };
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
        syscalls: { type: 'string' },
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

import { parseArgs } from 'node:util';
import { CrowdError, readArguments as readCrowdArguments } from '../../server/tools/crowd/arguments.ts';
import type { LedgerPlace } from '../../server/tools/crowd/ledger-reading.ts';
import { LoadError } from './load-error.ts';
import type { ScenarioOptions } from './scenario-file.ts';

/** What was asked for. */
export interface LoadArguments extends ScenarioOptions {
  readonly scenario: string;
  /** Scheme, host and port of each gateway; buyers spread over them. */
  readonly servers: readonly [URL, ...URL[]];
  readonly ledgers: readonly LedgerPlace[];
  readonly json: boolean;
}

const SECONDS_MAX = 7 * 24 * 3_600;
const BUYERS_MAX = 20_000;
const SECONDS_OF: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600 };

/** @param scenarios the names there are */
export function usage(scenarios: readonly string[]): string {
  return `Sends load into a running server with Artillery, judges its thresholds and compares with the database.

  npm run load -- SCENARIO

Scenarios: ${scenarios.join(', ')}.

  --url U          the server; default http://127.0.0.1:8083 (PORT); several times for several gateways
  --show S         another show than the scenario's: its number, or part of its title or venue
  --buyers N       fewer or more buyers than the scenario has, 1 to ${BUYERS_MAX}, to try it; one size only
  --duration D     how long a steady scenario goes on: 90s, 10m, 2h
  --database U     the server's MySQL (DATABASE_URL)
  --data DIR       the data folder of a server on its embedded database (DATA_DIR); default: .data, or the
                   database of npm run stack, whichever belongs to that server
  --json           print only a summary as JSON on standard output, everything else on standard error
  --allow-remote   allow a server on another machine: only ever your own

It starts no server: npm start does. Artillery itself is installed when it is first needed. The report is a Markdown
file in artillery/reports. Exit code: 0 when every threshold held and the database agrees, 1 when not, 2 when
nothing could be measured, 130 when it was interrupted.`;
}

const OPTIONS = {
  url: { type: 'string', multiple: true },
  show: { type: 'string' },
  buyers: { type: 'string' },
  duration: { type: 'string' },
  database: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'boolean' },
  'allow-remote': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line. Where the server and its database are is read as `npm run crowd` reads it.
 * @param stackDatabase that of `npm run stack`
 * @returns null if help was asked for
 * @throws LoadError naming the first argument that can't be used, what was given and what is allowed
 */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  stackDatabase: string | null,
  scenarios: readonly string[],
): LoadArguments | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [scenario, ...more] = positionals;
  if (scenario === undefined || !scenarios.includes(scenario)) {
    const what =
      scenario === undefined ? 'Which scenario?' : `There is no scenario ${JSON.stringify(scenario)}.`;
    throw new LoadError(`${what} Scenarios: ${scenarios.join(', ')}.`);
  }
  if (more.length > 0) throw new LoadError(`One scenario at a time; ${JSON.stringify(more[0])} is too much.`);
  const { servers, ledgers } = readPlaces(values, environment, stackDatabase);
  return {
    scenario,
    servers,
    ledgers,
    json: values.json ?? false,
    show: values.show ?? null,
    buyers: values.buyers === undefined ? null : readBuyers(values.buyers),
    durationSeconds: values.duration === undefined ? null : readDuration(values.duration),
  };
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new LoadError(`${message.split(/\n|\. /, 1)[0] ?? message}. See --help.`, { cause });
  }
}

interface Places {
  readonly url?: readonly string[];
  readonly database?: string;
  readonly data?: string;
  readonly 'allow-remote'?: boolean;
}

function readPlaces(
  { url = [], database, data, 'allow-remote': allowRemote }: Places,
  environment: Readonly<Record<string, string | undefined>>,
  stackDatabase: string | null,
): Pick<LoadArguments, 'servers' | 'ledgers'> {
  const asCrowd = [
    ...['--show', 'any', '--buyers', '1'],
    ...url.flatMap((one) => ['--url', one]),
    ...(database === undefined ? [] : ['--database', database]),
    ...(data === undefined ? [] : ['--data', data]),
    ...(allowRemote ? ['--allow-remote'] : []),
  ];
  try {
    const read = readCrowdArguments(asCrowd, environment, 0, stackDatabase);
    if (read) return read;
  } catch (cause) {
    if (cause instanceof CrowdError) throw new LoadError(cause.message, { cause });
    throw cause;
  }
  throw new Error('the crowd took these arguments for a call for help');
}

function readBuyers(text: string): number {
  const buyers = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (buyers >= 1 && buyers <= BUYERS_MAX) return buyers;
  throw new LoadError(
    `--buyers: ${JSON.stringify(text)} can't be used; allowed: a whole number, 1 to ${BUYERS_MAX}.`,
  );
}

function readDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,7})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS_OF[unit] ?? NaN);
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw new LoadError(
    `--duration: ${JSON.stringify(text)} can't be used; allowed: 90s, 10m, 2h, up to seven days.`,
  );
}

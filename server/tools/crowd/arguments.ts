import { parseArgs } from 'node:util';
import type { LedgerPlace } from './ledger-reading.ts';
import { isPaceName, PACE_NAMES, type PaceName } from '../shopper/pace.ts';

/** What the crowd was asked to do. Times in milliseconds. */
export interface CrowdArguments {
  /** Scheme, host and port of each gateway; buyers spread over them. */
  readonly servers: readonly [URL, ...URL[]];
  /** Number of a show, or part of its title. */
  readonly show: string;
  readonly buyers: number;
  readonly json: boolean;
  /** Where the server's database may be; the first that knows the show is it. */
  readonly ledgers: readonly LedgerPlace[];
  /** The one seat that everybody wants; null: whichever are good. */
  readonly seat: number | null;
  /** Seats that one buyer wants at most; null: as many as a show usually allows. */
  readonly seatsPerBuyer: number | null;
  readonly pace: PaceName;
  readonly seed: number;
  readonly rampMs: number;
  readonly timeoutMs: number;
}

/** Something the caller can mend; its message is one line and names the argument or the address. */
export class CrowdError extends Error {
  override readonly name = 'CrowdError';
}

const BUYERS_MAX = 20_000;
const SEED_MAX = 2 ** 32 - 1;
const RAMP_SECONDS_MAX = 600;
const TIMEOUT_SECONDS_MAX = 3_600;
const SEATS_MAX = 32;
const SEAT_MAX = 999_999;
const MS_PER_SECOND = 1_000;

const RAMP_SECONDS = '3';
const TIMEOUT_SECONDS = '180';
const SERVER_PORT = '8083';

export const USAGE = `Sends simulated buyers into a sale: they join, wait, fight for the same seats, and pay or give up.

  npm run crowd -- --show pillow --buyers 1000

  --show S             number of the show, or part of its title or venue
  --buyers N           how many buyers, 1 to ${BUYERS_MAX}
  --url U              the server; default http://127.0.0.1:${SERVER_PORT} (PORT); several times for several gateways
  --database U         the server's MySQL, where what was really sold is read (DATABASE_URL)
  --data DIR           the same of an embedded database: the server's data folder (DATA_DIR); default: .data,
                       or the database of npm run stack, whichever belongs to that server
  --seats-per-buyer N  seats one buyer wants at most; default 4, or the show's own limit if that is lower
  --seat N             everybody wants this one seat and no other; seats count from 0
  --pace P             ${PACE_NAMES.join(' or ')}: how long buyers think; default fast
  --ramp S             seconds over which buyers arrive; default ${RAMP_SECONDS}
  --timeout S          seconds after which the crowd goes home; default ${TIMEOUT_SECONDS}
  --seed N             repeats the buyers' wishes and moods of another run; default: a new one, printed
  --json               print only the summary on standard output, everything else on standard error
  --allow-remote       allow a server on another machine: only ever your own

The last line on standard output is the summary as JSON. Exit code: 0 when every buyer had an answer and nothing
was oversold or unexpected, 1 otherwise, 2 when the crowd could not set out, 130 when it was interrupted.`;

const OPTIONS = {
  url: { type: 'string', multiple: true },
  show: { type: 'string' },
  buyers: { type: 'string' },
  json: { type: 'boolean' },
  data: { type: 'string' },
  database: { type: 'string' },
  seat: { type: 'string' },
  'seats-per-buyer': { type: 'string' },
  pace: { type: 'string' },
  seed: { type: 'string' },
  ramp: { type: 'string' },
  timeout: { type: 'string' },
  'allow-remote': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line. `newSeed` is used where none was given; `stackDatabase` is that of `npm run stack`.
 * @returns null if help was asked for
 * @throws CrowdError naming the first argument that can't be used, what was given and what is allowed
 */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  newSeed: number,
  stackDatabase: string | null = null,
): CrowdArguments | null {
  const given = parse(args);
  if (given.help) return null;
  const [first, ...more] = given.url ?? [`http://127.0.0.1:${environment['PORT'] ?? SERVER_PORT}`];
  const servers = [readServer(first ?? ''), ...more.map(readServer)] as const;
  const remote = servers.find((server) => !isLoopback(server));
  if (remote && !given['allow-remote']) {
    throw new CrowdError(
      `--url: ${remote.host} is another machine. A crowd is a load test: add --allow-remote if that server is yours.`,
    );
  }
  const show = given.show?.trim() ?? '';
  if (show === '') throw new CrowdError('--show is missing: give the number of a show or part of its title.');
  if (given.buyers === undefined) {
    throw new CrowdError(`--buyers is missing: give a whole number, 1 to ${BUYERS_MAX}.`);
  }
  const pace = given.pace ?? 'fast';
  if (!isPaceName(pace)) throw notAllowed('--pace', pace, PACE_NAMES.join(' or '));
  const seats = given['seats-per-buyer'];
  return {
    servers,
    show,
    buyers: wholeNumber('--buyers', given.buyers, 1, BUYERS_MAX),
    json: given.json ?? false,
    ledgers: ledgerPlaces(given, environment, stackDatabase),
    seat: given.seat === undefined ? null : wholeNumber('--seat', given.seat, 0, SEAT_MAX),
    seatsPerBuyer: seats === undefined ? null : wholeNumber('--seats-per-buyer', seats, 1, SEATS_MAX),
    pace,
    seed: given.seed === undefined ? newSeed : wholeNumber('--seed', given.seed, 0, SEED_MAX),
    rampMs: wholeNumber('--ramp', given.ramp ?? RAMP_SECONDS, 0, RAMP_SECONDS_MAX) * MS_PER_SECOND,
    timeoutMs:
      wholeNumber('--timeout', given.timeout ?? TIMEOUT_SECONDS, 1, TIMEOUT_SECONDS_MAX) * MS_PER_SECOND,
  };
}

/** What was named is the one; where nothing was, everywhere that a server of this checkout may keep its orders. */
function ledgerPlaces(
  given: { readonly data?: string; readonly database?: string },
  environment: Readonly<Record<string, string | undefined>>,
  stackDatabase: string | null,
): readonly LedgerPlace[] {
  const mysql = (url: string, name: string): LedgerPlace => ({ kind: 'mysql', url, name });
  const sqlite = (dataDir: string): LedgerPlace => ({ kind: 'sqlite', dataDir });
  if (given.database !== undefined) return [mysql(given.database, '--database')];
  if (given.data !== undefined) return [sqlite(given.data)];
  const url = environment['DATABASE_URL'];
  if (url) return [mysql(url, 'DATABASE_URL')];
  const own = sqlite(environment['DATA_DIR'] ?? '.data');
  return stackDatabase === null ? [own] : [own, mysql(stackDatabase, 'npm run stack')];
}

/** Whether load sent to this server stays on this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CrowdError(`${message.split(/\n|\. /, 1)[0] ?? message}. See --help.`, { cause });
  }
}

function readServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isServer = url && /^https?:$/.test(url.protocol) && url.hostname !== '' && url.username === '';
  if (!isServer) throw notAllowed('--url', text, 'an address such as http://127.0.0.1:8083');
  return new URL(url.origin);
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw notAllowed(name, text, `a whole number, ${min} to ${max}`);
  return value;
}

function notAllowed(name: string, given: string, allowed: string): CrowdError {
  return new CrowdError(`${name}: ${JSON.stringify(given)} can't be used; allowed: ${allowed}.`);
}

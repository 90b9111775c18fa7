import { isPaceName, PACE_NAMES, type PaceName } from '../shopper/pace.ts';
import { notAllowed, readOptions, TaskError, wholeNumber } from '../tasks/task.ts';
import { PLACE_OPTIONS, type Places, readPlaces, type TaskSurroundings } from './places.ts';

/** What the crowd was asked to do. Times in milliseconds. */
export interface CrowdArguments extends Places {
  /** Number of a show, or part of its title. */
  readonly show: string;
  readonly buyers: number;
  readonly json: boolean;
  /** The one seat that everybody wants; null: whichever are good. */
  readonly seat: number | null;
  /** Seats that one buyer wants at most; null: as many as a show usually allows. */
  readonly seatsPerBuyer: number | null;
  readonly pace: PaceName;
  readonly seed: number;
  readonly rampMs: number;
  readonly timeoutMs: number;
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

export const USAGE = `Sends simulated buyers into a sale: they join, wait, fight for the same seats, and pay or give up.

  npm run crowd -- --show pillow --buyers 1000

  --show S             number of the show, or part of its title or venue
  --buyers N           how many buyers, 1 to ${BUYERS_MAX}
  --url U              the server; default http://127.0.0.1:8083 (PORT); several times for several gateways
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
  ...PLACE_OPTIONS,
  show: { type: 'string' },
  buyers: { type: 'string' },
  json: { type: 'boolean' },
  seat: { type: 'string' },
  'seats-per-buyer': { type: 'string' },
  pace: { type: 'string' },
  seed: { type: 'string' },
  ramp: { type: 'string' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line. `newSeed` is used where none was given.
 * @returns null if help was asked for
 * @throws TaskError naming the first argument that can't be used, what was given and what is allowed
 */
export function readArguments(
  args: readonly string[],
  surroundings: TaskSurroundings,
  newSeed: number,
): CrowdArguments | null {
  const given = readOptions(args, OPTIONS).values;
  if (given.help) return null;
  const places = readPlaces(given, surroundings);
  const show = given.show?.trim() ?? '';
  if (show === '') throw new TaskError('--show is missing: give the number of a show or part of its title.');
  if (given.buyers === undefined) {
    throw new TaskError(`--buyers is missing: give a whole number, 1 to ${BUYERS_MAX}.`);
  }
  const pace = given.pace ?? 'fast';
  if (!isPaceName(pace)) throw notAllowed('--pace', pace, PACE_NAMES.join(' or '));
  const number = (name: 'seat' | 'seats-per-buyer', min: number, max: number): number | null => {
    const text = given[name];
    return text === undefined ? null : wholeNumber(`--${name}`, text, min, max);
  };
  return {
    ...places,
    show,
    buyers: wholeNumber('--buyers', given.buyers, 1, BUYERS_MAX),
    json: given.json ?? false,
    seat: number('seat', 0, SEAT_MAX),
    seatsPerBuyer: number('seats-per-buyer', 1, SEATS_MAX),
    pace,
    seed: given.seed === undefined ? newSeed : wholeNumber('--seed', given.seed, 0, SEED_MAX),
    rampMs: wholeNumber('--ramp', given.ramp ?? RAMP_SECONDS, 0, RAMP_SECONDS_MAX) * MS_PER_SECOND,
    timeoutMs:
      wholeNumber('--timeout', given.timeout ?? TIMEOUT_SECONDS, 1, TIMEOUT_SECONDS_MAX) * MS_PER_SECOND,
  };
}

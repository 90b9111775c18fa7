import {
  PLACE_OPTIONS,
  type Places,
  readPlaces,
  type TaskSurroundings,
} from '../../server/tools/crowd/places.ts';
import { notAllowed, readOptions, TaskError, wholeNumber } from '../../server/tools/tasks/task.ts';
import type { ScenarioOptions } from './scenario-file.ts';

/** What was asked for. */
export interface LoadArguments extends ScenarioOptions, Places {
  readonly scenario: string;
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
  ...PLACE_OPTIONS,
  show: { type: 'string' },
  buyers: { type: 'string' },
  duration: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line.
 * @returns null if help was asked for
 * @throws TaskError naming the first argument that can't be used, what was given and what is allowed
 */
export function readArguments(
  args: readonly string[],
  surroundings: TaskSurroundings,
  scenarios: readonly string[],
): LoadArguments | null {
  const { values, positionals } = readOptions(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  const [scenario, ...more] = positionals;
  if (scenario === undefined || !scenarios.includes(scenario)) {
    const what =
      scenario === undefined ? 'Which scenario?' : `There is no scenario ${JSON.stringify(scenario)}.`;
    throw new TaskError(`${what} Scenarios: ${scenarios.join(', ')}.`);
  }
  if (more.length > 0) throw new TaskError(`One scenario at a time; ${JSON.stringify(more[0])} is too much.`);
  const { buyers, duration } = values;
  return {
    scenario,
    ...readPlaces(values, surroundings),
    json: values.json ?? false,
    show: values.show ?? null,
    buyers: buyers === undefined ? null : wholeNumber('--buyers', buyers, 1, BUYERS_MAX),
    durationSeconds: duration === undefined ? null : readDuration(duration),
  };
}

function readDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,7})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS_OF[unit] ?? NaN);
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw notAllowed('--duration', text, '90s, 10m, 2h, up to seven days');
}

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { engineOptions } from '../engine/engine-config.ts';
import { parseFlow } from '../engine/flow.ts';
import { ROOT } from '../../server/tools/checks/child-process.ts';
import { parseThreshold, type Threshold } from './thresholds.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

/** A phase as Artillery knows it; times in seconds. */
export interface Phase {
  readonly name: string;
  readonly duration: number;
  /** So many users in all, evenly over the duration; or so many a second. */
  readonly arrivalCount?: number | undefined;
  readonly arrivalRate?: number | undefined;
  /** Most users at a time, where a rate would allow any number. */
  readonly maxVusers?: number | undefined;
}

/** One run of Artillery; a scenario of several sizes has one for each. */
export interface Level {
  /** Empty where there is only one. */
  readonly label: string;
  readonly phases: readonly Phase[];
}

/** A scenario file, read and checked. */
export interface Scenario {
  readonly name: string;
  readonly file: string;
  /** What the file says about itself. */
  readonly description: string;
  readonly show: string;
  readonly freeSeats: number;
  readonly levels: readonly Level[];
  readonly thresholds: readonly Threshold[];
}

/** What was asked for on the command line; null: as the file says. */
export interface ScenarioOptions {
  readonly durationSeconds: number | null;
  readonly buyers: number | null;
  readonly show: string | null;
}

export const ARTILLERY_FOLDER = join(ROOT, 'artillery');
const SCENARIO_FOLDER = join(ARTILLERY_FOLDER, 'scenarios');
const FILE_END = '.yml';

const phase = z
  .strictObject({
    name: z.string().min(1),
    duration: z.int().min(1),
    arrivalCount: z.int().min(1).optional(),
    arrivalRate: z.number().positive().optional(),
    maxVusers: z.int().min(1).optional(),
  })
  .refine(
    ({ arrivalCount, arrivalRate }) => (arrivalCount === undefined) !== (arrivalRate === undefined),
    'either arrivalCount or arrivalRate',
  )
  .refine(
    ({ arrivalRate, maxVusers }) => arrivalRate === undefined || maxVusers !== undefined,
    'an arrivalRate needs maxVusers',
  );
const phases = z.array(phase).min(1);

const file = z.strictObject({
  config: z.strictObject({
    target: z.string(),
    engines: z.strictObject({ stampede: engineOptions }),
    phases: phases.optional(),
    environments: z.record(z.string(), z.strictObject({ phases })).optional(),
    plugins: z.strictObject({
      ensure: z.strictObject({
        thresholds: z.array(z.record(z.string(), z.number())).default([]),
        conditions: z
          .array(z.strictObject({ expression: z.string(), strict: z.boolean().default(true) }))
          .default([]),
      }),
    }),
  }),
  scenarios: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        engine: z.literal('stampede'),
        weight: z.number().positive().optional(),
        flow: z.unknown(),
      }),
    )
    .min(1),
});

/** The scenarios there are. */
export function scenarioNames(folder = SCENARIO_FOLDER): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(FILE_END))
    .map((name) => basename(name, FILE_END))
    .sort();
}

/**
 * Reads a scenario and fits it to what was asked for.
 * @throws TaskError naming what is wrong with the name, the file or an option
 */
export function readScenario(name: string, options: ScenarioOptions, folder = SCENARIO_FOLDER): Scenario {
  const names = scenarioNames(folder);
  if (!names.includes(name)) {
    throw new TaskError(`There is no scenario ${JSON.stringify(name)}. Scenarios: ${names.join(', ')}.`);
  }
  const path = join(folder, name + FILE_END);
  return {
    ...parseScenario(readFileSync(path, 'utf8'), `artillery/scenarios/${name}${FILE_END}`, options),
    name,
    file: path,
  };
}

/**
 * Reads the text of a scenario.
 * @param shown how its file is called in messages
 * @throws TaskError saying in one line what can't be read, and where
 */
export function parseScenario(
  text: string,
  shown: string,
  options: ScenarioOptions,
): Omit<Scenario, 'name' | 'file'> {
  const { config, scenarios } = readYaml(text, shown);
  const { ensure } = config.plugins;
  try {
    for (const { name, flow } of scenarios) parseFlow(flow, name);
    const given = levelsOf(config.phases, config.environments);
    return {
      description: descriptionOf(text),
      show: options.show ?? config.engines.stampede.show,
      freeSeats: config.engines.stampede.freeSeats,
      levels: withDuration(withBuyers(given, options.buyers), options.durationSeconds),
      thresholds: [
        ...ensure.thresholds.flatMap((limits) =>
          Object.entries(limits).map(([metric, limit]) => parseThreshold(`${metric} < ${limit}`)),
        ),
        ...ensure.conditions.map(({ expression, strict }) => parseThreshold(expression, strict)),
      ],
    };
  } catch (cause) {
    if (cause instanceof TaskError && !cause.message.startsWith('--')) {
      throw new TaskError(`${shown}: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

function readYaml(text: string, shown: string): z.output<typeof file> {
  let given: unknown;
  try {
    given = parse(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    const [line = ''] = cause.message.split('\n', 1);
    throw new TaskError(`${shown}: ${line}`, { cause });
  }
  const read = file.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new TaskError(`${shown}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}.`);
}

function levelsOf(
  single: readonly Phase[] | undefined,
  environments: Readonly<Record<string, { readonly phases: readonly Phase[] }>> | undefined,
): readonly Level[] {
  const named = Object.entries(environments ?? {}).map(([label, level]) => ({ label, ...level }));
  if ((single === undefined) === (named.length === 0)) {
    throw new TaskError('config needs either phases or environments with phases.');
  }
  return single ? [{ label: '', phases: single }] : named;
}

/** So many buyers instead of those of the file, and then only one size. */
function withBuyers(levels: readonly Level[], buyers: number | null): readonly Level[] {
  const [first] = levels;
  if (buyers === null || !first) return levels;
  if (first.phases.length !== 1 || first.phases[0]?.arrivalCount === undefined) {
    throw new TaskError('--buyers: this scenario sends buyers at a rate; give a --duration instead.');
  }
  const label = first.label === '' ? '' : `${buyers} users`;
  return [{ label, phases: first.phases.map((one) => ({ ...one, arrivalCount: buyers })) }];
}

function withDuration(levels: readonly Level[], seconds: number | null): readonly Level[] {
  if (seconds === null) return levels;
  const isSteady = ({ arrivalRate }: Phase): boolean => arrivalRate !== undefined;
  if (!levels.every((level) => level.phases.some(isSteady))) {
    throw new TaskError(
      '--duration: this scenario ends when its buyers have; only a steady one has a length.',
    );
  }
  return levels.map(({ label, phases: given }) => ({
    label,
    phases: given.map((one) => (isSteady(one) ? { ...one, duration: seconds } : one)),
  }));
}

/** Users that may be there at the same time. */
export function peakOf({ phases: given }: Level): number {
  return given.reduce((sum, { arrivalCount, maxVusers }) => sum + (arrivalCount ?? maxVusers ?? 0), 0);
}

/** The comment that a file begins with, as one paragraph. */
function descriptionOf(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^#\s*/, ''))
    .join(' ');
}

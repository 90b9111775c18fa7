import { type RefusalCode, refusalCodes } from '@stampede/shared/protocol/codes.ts';
import { SEATS_PER_REQUEST_MAX, SECTIONS_WATCHED_MAX } from '@stampede/shared/protocol/limits.ts';
import { z } from 'zod';
import { TaskError } from '../../server/tools/tasks/task.ts';

/**
 * What became of a step: `ok`, one of the protocol's refusals, or one of these words. `none-free`: no seat became
 * free while the buyer was patient. `late`: it did not happen in time. `not-kept`: a place, hold or section was not
 * what it was before the connection was lost [P4, P5].
 */
const OWN_OUTCOMES = ['ok', 'declined', 'voided', 'none-free', 'late', 'not-kept', 'untrue'] as const;
const UNANSWERED = ['disconnected', 'timed-out'] as const;

export type Outcome = (typeof OWN_OUTCOMES)[number] | (typeof UNANSWERED)[number] | RefusalCode;

// The keys of the table are the codes; `Object.keys` forgets that.
const outcomeNames = [
  ...OWN_OUTCOMES,
  ...UNANSWERED,
  ...(Object.keys(refusalCodes) as RefusalCode[]),
] as const;

const LOOP_COUNT_MAX = 100_000;
const SECONDS_MAX = 86_400;

const seconds = z.number().min(0).max(SECONDS_MAX);
/** One number, or any between two. */
const span = z
  .union([seconds, z.tuple([seconds, seconds])])
  .transform((value): readonly [number, number] => (typeof value === 'number' ? [value, value] : value))
  .refine(([min, max]) => min <= max, 'the second number must not be smaller than the first');
const seatCount = z.int().min(1).max(SEATS_PER_REQUEST_MAX);
const seatSpan = z
  .union([seatCount, z.tuple([seatCount, seatCount])])
  .transform((value): readonly [number, number] => (typeof value === 'number' ? [value, value] : value))
  .refine(([min, max]) => min <= max, 'the second number must not be smaller than the first');

/** Which outcomes are as expected; every other one fails the buyer and counts as an error. */
const expecting = (...fallback: Outcome[]) => z.array(z.enum(outcomeNames)).min(1).default(fallback);

const options = {
  /** Gets a session, opens the socket and enters the show. */
  connect: z.strictObject({ expect: expecting('ok') }),
  join: z.strictObject({ expect: expecting('ok') }),
  /** Waits to be let in, or for a moment so many seconds after the first buyer of this run set out. */
  await: z.union([
    z.strictObject({ admission: z.strictObject({ within: seconds.default(120) }), expect: expecting('ok') }),
    z.strictObject({ moment: seconds }),
  ]),
  /** Looks at so many of the sections that people like best, or at the one with the contested seat. */
  watch: z.strictObject({
    sections: z.union([z.int().min(1).max(SECTIONS_WATCHED_MAX), z.literal('contested')]).default(2),
    expect: expecting('ok'),
  }),
  /**
   * Holds free neighbours, as many as the buyer wants, or the contested seat. Others are faster: tries so often, and
   * waits for free seats so many seconds in all.
   */
  hold: z.strictObject({
    seats: z.union([seatSpan, z.literal('contested')]).default([1, 1]),
    attempts: z.int().min(1).max(LOOP_COUNT_MAX).default(10),
    patience: seconds.default(30),
    expect: expecting('ok'),
  }),
  extend: z.strictObject({ expect: expecting('ok') }),
  /** Gives so many seats back; without a number all of them. */
  release: z.strictObject({ seats: seatCount.optional(), expect: expecting('ok') }),
  /** Pays, and waits for the outcome; a declined payment is tried again, `attempts` times in all. */
  checkout: z.strictObject({
    attempts: z.int().min(1).max(20).default(1),
    within: seconds.default(60),
    expect: expecting('ok', 'declined'),
  }),
  orders: z.strictObject({ expect: expecting('ok') }),
  /** Loses the connection without a word; the client comes back by itself. */
  drop: z.strictObject({}),
  /** Waits until the connection is back with all that must have been kept. */
  resume: z.strictObject({ within: seconds.default(30), expect: expecting('ok') }),
  leave: z.strictObject({ expect: expecting('ok') }),
  think: span,
  /** What must be true now. */
  expect: z.strictObject({
    standing: z
      .array(z.enum(['outside', 'waiting', 'admitted']))
      .min(1)
      .optional(),
    seatsHeld: z.int().min(0).optional(),
    seatsOwned: z.int().min(0).optional(),
  }),
};

type Options = { readonly [Name in keyof typeof options]: z.output<(typeof options)[Name]> };
export type StepName = keyof Options;

/** One step with all that it leaves open filled in. */
export type Step =
  | { readonly [Name in StepName]: { readonly name: Name; readonly options: Options[Name] } }[StepName]
  | { readonly name: 'loop'; readonly count: number; readonly steps: readonly Step[] };

/** A step of one kind. */
export type StepOf<Name extends StepName> = Extract<Step, { readonly name: Name }>;

const STEP_NAMES = [...Object.keys(options), 'loop'].join(', ');
const loopOf = z.strictObject({
  loop: z.array(z.unknown()).min(1),
  count: z.int().min(1).max(LOOP_COUNT_MAX),
});

/**
 * Reads a scenario's flow as YAML gives it.
 * @param where how the flow is called in a message
 * @throws TaskError naming the first step that can't be read
 */
export function parseFlow(flow: unknown, where: string): readonly Step[] {
  if (!Array.isArray(flow) || flow.length === 0)
    throw new TaskError(`${where}: the flow must be a list of steps.`);
  return flow.map((step: unknown, index) => parseStep(step, `${where}, step ${index + 1}`));
}

function parseStep(step: unknown, where: string): Step {
  if (typeof step === 'string') return parseStep({ [step]: null }, where);
  if (typeof step !== 'object' || step === null)
    throw new TaskError(`${where}: a step is one of ${STEP_NAMES}.`);
  const [name = '', ...more] = Object.keys(step);
  if ('loop' in step) {
    const { loop, count } = read(loopOf, step, `${where} (loop)`);
    return { name: 'loop', count, steps: parseFlow(loop, `${where} (loop)`) };
  }
  if (more.length > 0 || !isStepName(name)) {
    const given = [name, ...more].join(', ');
    throw new TaskError(`${where}: ${JSON.stringify(given)} is no step; steps are ${STEP_NAMES}.`);
  }
  const given: unknown = Object.values(step)[0];
  const schema: z.ZodType = options[name];
  // What was read by the schema of a name belongs to that name, which the types can't follow through the table.
  return { name, options: read(schema, given ?? {}, `${where} (${name})`) } as Step;
}

function isStepName(name: string): name is StepName {
  return Object.hasOwn(options, name);
}

function read<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw new TaskError(`${where}: ${path && `${path}: `}${issue?.message ?? 'not understood'}.`);
}

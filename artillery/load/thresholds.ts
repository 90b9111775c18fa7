import { COUNTER_NAMES, HISTOGRAM_NAMES } from '../engine/load-metrics.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

/** What a run measured, by name: counters as they are, histograms as `name.p95`. */
export type Measured = ReadonlyMap<string, number>;

/** What became of a threshold. */
export interface Verdict {
  readonly text: string;
  readonly held: boolean;
  /** The value of the left side; null where something it needs was not measured. */
  readonly value: number | null;
  /** Whether the run fails with it. */
  readonly isStrict: boolean;
}

/** A condition of Artillery's `ensure`: two sides and how they must compare. */
export interface Threshold {
  readonly text: string;
  readonly isStrict: boolean;
  readonly left: Side;
  readonly comparison: keyof typeof COMPARISONS;
  readonly right: Side;
}

/** Null where a metric was not measured. */
type Side = (measured: Measured) => number | null;

const COMPARISONS = {
  '<=': (a: number, b: number) => a <= b,
  '>=': (a: number, b: number) => a >= b,
  '==': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
  '<': (a: number, b: number) => a < b,
  '>': (a: number, b: number) => a > b,
} as const;
const CONDITION = /^(.*?)(<=|>=|==|!=|<|>)(.*)$/s;

/** What Artillery tells of each histogram. It tells p999 too, but its thresholds would read that as p99. */
export const AGGREGATES = [
  'min',
  'max',
  'count',
  'mean',
  'median',
  'p50',
  'p75',
  'p90',
  'p95',
  'p99',
] as const;
/** What Artillery itself counts. */
const VUSER_COUNTERS = ['vusers.created', 'vusers.completed', 'vusers.failed'] as const;
const VUSER_HISTOGRAM = 'vusers.session_length';

/** Every name that a threshold may use. */
export const METRIC_NAMES: ReadonlySet<string> = new Set([
  ...COUNTER_NAMES,
  ...VUSER_COUNTERS,
  ...[...HISTOGRAM_NAMES, VUSER_HISTOGRAM].flatMap((name) => AGGREGATES.map((part) => `${name}.${part}`)),
]);

/**
 * Reads a condition such as `stampede.errors / stampede.requests * 100 < 0.5`: metrics and numbers, multiplied and
 * divided from left to right.
 * @throws TaskError saying what can't be understood, or which metric nobody measures
 */
export function parseThreshold(text: string, isStrict = true): Threshold {
  const [, left, comparison, right] = CONDITION.exec(text) ?? [];
  if (left === undefined || comparison === undefined || right === undefined)
    throw malformed(text, `it has none of ${Object.keys(COMPARISONS).join(' ')}`);
  return {
    text,
    isStrict,
    left: sideOf(left, text),
    // The pattern knows these and no others.
    comparison: comparison as Threshold['comparison'],
    right: sideOf(right, text),
  };
}

function sideOf(side: string, text: string): Side {
  const parts = side.split(/([*/])/).map((part) => part.trim());
  const factors = parts.filter((_, index) => index % 2 === 0).map((part) => factorOf(part, text));
  const signs = parts.filter((_, index) => index % 2 === 1);
  return (measured) =>
    factors
      .map((factor) => factor(measured))
      .reduce((product, value, index) => {
        if (product === null || value === null) return null;
        return signs[index - 1] === '/' ? product / value : product * value;
      });
}

function factorOf(part: string, text: string): Side {
  if (/^\d+(\.\d+)?$/.test(part)) return () => Number(part);
  if (METRIC_NAMES.has(part)) return (measured) => measured.get(part) ?? null;
  throw malformed(text, `${JSON.stringify(part)} is neither a number nor a metric that is measured`);
}

const malformed = (text: string, why: string): TaskError =>
  new TaskError(`threshold ${JSON.stringify(text)}: ${why}.`);

/** Judges a run. What was not measured does not hold. */
export function judge({ text, isStrict, left, comparison, right }: Threshold, measured: Measured): Verdict {
  const value = left(measured);
  const bound = right(measured);
  const held = value !== null && bound !== null && COMPARISONS[comparison](value, bound);
  return { text, held, value, isStrict };
}

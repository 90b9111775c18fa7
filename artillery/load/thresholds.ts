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

/** A condition of Artillery's `ensure`: two sums and how they must compare. */
export interface Threshold {
  readonly text: string;
  readonly isStrict: boolean;
  readonly left: Sum;
  readonly comparison: Comparison;
  readonly right: Sum;
}

/** Evaluates to null where a metric was not measured. */
type Sum = (measured: Measured) => number | null;

const COMPARISONS = {
  '<=': (a: number, b: number) => a <= b,
  '>=': (a: number, b: number) => a >= b,
  '==': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
  '<': (a: number, b: number) => a < b,
  '>': (a: number, b: number) => a > b,
} as const;
type Comparison = keyof typeof COMPARISONS;

const OPERATIONS = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
} as const;
type Operation = keyof typeof OPERATIONS;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_][\w.]*)|(<=|>=|==|!=|[<>+\-*/()]))/y;

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
 * Reads a condition such as `stampede.errors / stampede.requests * 100 < 0.5`.
 * @throws TaskError saying what can't be understood, or which metric nobody measures
 */
export function parseThreshold(text: string, isStrict = true): Threshold {
  const tokens = tokensOf(text);
  const left = readSum(tokens);
  const comparison = tokens.shift();
  if (comparison === undefined || !Object.hasOwn(COMPARISONS, comparison)) {
    throw tokens.malformed(comparison, `one of ${Object.keys(COMPARISONS).join(' ')}`);
  }
  const right = readSum(tokens);
  const rest = tokens.shift();
  if (rest !== undefined) throw tokens.malformed(rest, 'the end');
  // Checked against the table's own keys just above.
  return { text, isStrict, left, comparison: comparison as Comparison, right };
}

/** Judges a run. What was not measured does not hold. */
export function judge({ text, isStrict, left, comparison, right }: Threshold, measured: Measured): Verdict {
  const value = left(measured);
  const bound = right(measured);
  const held = value !== null && bound !== null && COMPARISONS[comparison](value, bound);
  return { text, held, value, isStrict };
}

class Tokens {
  readonly #text: string;
  readonly #left: string[];

  constructor(text: string, tokens: readonly string[]) {
    this.#text = text;
    this.#left = [...tokens];
  }

  get next(): string | undefined {
    return this.#left[0];
  }

  shift(): string | undefined {
    return this.#left.shift();
  }

  malformed(found: string | undefined, wanted: string): TaskError {
    const what = found === undefined ? 'it ends' : `there is ${JSON.stringify(found)}`;
    return new TaskError(`threshold ${JSON.stringify(this.#text)}: ${what} where ${wanted} should be.`);
  }
}

function tokensOf(text: string): Tokens {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw new Tokens(text, []).malformed(text.slice(at).trim(), 'a metric, a number or a sign');
    tokens.push(found[0].trim());
  }
  return new Tokens(text, tokens);
}

function readSum(tokens: Tokens): Sum {
  return readChain(tokens, ['+', '-'], () => readChain(tokens, ['*', '/'], () => readTerm(tokens)));
}

/** Operations of one rank, from left to right. */
function readChain(tokens: Tokens, operations: readonly Operation[], readPart: () => Sum): Sum {
  let sum = readPart();
  for (;;) {
    const operation = operations.find((one) => one === tokens.next);
    if (!operation) return sum;
    tokens.shift();
    const [before, part] = [sum, readPart()];
    sum = (measured) => {
      const [a, b] = [before(measured), part(measured)];
      return a === null || b === null ? null : OPERATIONS[operation](a, b);
    };
  }
}

function readTerm(tokens: Tokens): Sum {
  const token = tokens.shift();
  if (token === '(') {
    const sum = readSum(tokens);
    const closing = tokens.shift();
    if (closing !== ')') throw tokens.malformed(closing, '")"');
    return sum;
  }
  if (token !== undefined && /^\d/.test(token)) return () => Number(token);
  if (token === undefined || !/^[A-Za-z_]/.test(token)) throw tokens.malformed(token, 'a metric or a number');
  if (!METRIC_NAMES.has(token)) throw tokens.malformed(token, 'a metric that is measured');
  return (measured) => measured.get(token) ?? null;
}

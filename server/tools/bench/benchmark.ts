import { spreadOf } from './statistics.ts';
import { TaskError } from '../tasks/task.ts';

/** One run: what was measured, and its yardstick measured right before or after; null where there is none. */
export interface Run {
  readonly value: number;
  readonly yardstick: number | null;
}

/** Figures beside the headline: rows of texts and numbers under their columns. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Medians as bars from zero, by their labels. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: ReadonlyMap<string, number>;
}

/** What one benchmark found. */
export interface Findings {
  /** Of `value` and `yardstick`. */
  readonly unit: string;
  readonly runs: readonly Run[];
  /** Whether the target is reached, from what was measured. */
  readonly reached: boolean;
  /** What bounds it, or how to read it: sentences for the report. */
  readonly remarks?: readonly string[];
  readonly tables?: readonly Table[];
  /** For the document; absent: value and yardstick side by side. */
  readonly charts?: readonly BarChart[];
  /** Products and libraries taking part, with their versions. */
  readonly versions: readonly string[];
}

/** What a benchmark is given. */
export interface BenchContext {
  /** The benchmark's. */
  readonly name: string;
  readonly runs: number;
  /** Share of the full load: 1, or less for a trial whose figures count for nothing. */
  readonly size: number;
  /** The folder for CPU profiles of our servers; null: they run without. */
  readonly profile: string | null;
  /** Tells the one who waits. */
  readonly say: (message: string) => void;
  /** Registers what ends something that was started; the last one started ends first. */
  readonly afterwards: (end: () => unknown) => void;
}

/** A row of the table of figures. */
export interface Benchmark {
  readonly name: string;
  /** What the value is, in a few words. */
  readonly what: string;
  /** What the yardstick is; absent where there is none. */
  readonly against?: string;
  /** As people read it. */
  readonly target: string;
  readonly measure: (context: BenchContext) => Promise<Findings>;
}

/**
 * Measures, then ends everything that was started for it, the last first, whatever happened.
 * @throws TaskError where a part is missing or the machine can't carry the load
 */
export async function runBenchmark(
  benchmark: Benchmark,
  options: Omit<BenchContext, 'afterwards'>,
): Promise<Findings> {
  const ends: (() => unknown)[] = [];
  try {
    return await benchmark.measure({ ...options, afterwards: (end) => void ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Measures as often as asked, the runs numbered from 1. */
export async function eachRun<T>(
  { runs, say }: BenchContext,
  measure: (run: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (let run = 1; run <= runs; run++) {
    say(`run ${run} of ${runs}`);
    results.push(await measure(run));
  }
  return results;
}

/** The same after a run 0 that warms up and doesn't count. */
export async function eachRunWarm<T>(
  context: BenchContext,
  measure: (run: number) => Promise<T>,
): Promise<readonly T[]> {
  context.say('warming up');
  await measure(0);
  return eachRun(context, measure);
}

/** The part of a load that a trial takes, at least `least`. */
export function sized(full: number, { size }: BenchContext, least = 1): number {
  return Math.max(least, Math.round(full * size));
}

/** @throws TaskError that names the benchmark unless the measurement is right */
export function demand({ name }: BenchContext, isRight: boolean, trouble: string): void {
  if (!isRight) throw new TaskError(`${name}: ${trouble}.`);
}

/** How often the value is the yardstick, run by run. */
export function ratiosOf(runs: readonly Run[]): readonly number[] {
  return runs.flatMap(({ value, yardstick }) => (yardstick === null ? [] : [value / yardstick]));
}

export const medianRatio = (runs: readonly Run[]): number => spreadOf(ratiosOf(runs)).median;
export const medianValue = (runs: readonly Run[]): number => spreadOf(runs.map(({ value }) => value)).median;

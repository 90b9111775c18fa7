import type { BarChart } from './document/bar-chart.ts';
import type { Observer } from './observing/observer.ts';
import type { Table } from './table.ts';

/** One run: what was measured, and its yardstick measured right before or after; null where there is none. */
export interface Run {
  readonly value: number;
  readonly yardstick: number | null;
}

/** CPU time of one process while it was being measured, in all runs together. */
export interface CpuShare {
  readonly process: string;
  readonly seconds: number;
}

/** What one benchmark found. */
export interface Findings {
  /** Of `value` and `yardstick`. */
  readonly unit: string;
  readonly runs: readonly Run[];
  /** Whether the target is reached, from what was measured. */
  readonly reached: boolean;
  /** What bounds it, or how to read it: sentences for the report. */
  readonly remarks: readonly string[];
  readonly tables: readonly Table[];
  /** For the document; absent: value and yardstick side by side. */
  readonly charts?: readonly BarChart[];
  readonly cpu: readonly CpuShare[];
  /** Products and libraries taking part, with their versions. */
  readonly versions: readonly string[];
}

/** What a benchmark is given. */
export interface BenchContext {
  readonly runs: number;
  /** Share of the full load: 1, or less for a trial whose figures count for nothing. */
  readonly size: number;
  /** Looks at servers while they are measured; null: nobody does. */
  readonly observer: Observer | null;
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
  /** What the yardstick is; empty where there is none. */
  readonly against: string;
  /** As people read it. */
  readonly target: string;
  readonly measure: (context: BenchContext) => Promise<Findings>;
}

/** The part of a load that a trial takes, at least `least`. */
export function sized(full: number, { size }: BenchContext, least = 1): number {
  return Math.max(least, Math.round(full * size));
}

/** How often the value is the yardstick, run by run. */
export function ratiosOf(runs: readonly Run[]): readonly number[] {
  return runs.flatMap(({ value, yardstick }) => (yardstick === null ? [] : [value / yardstick]));
}

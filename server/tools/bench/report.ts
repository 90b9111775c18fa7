import { type Benchmark, type Findings, ratiosOf, type Run } from './benchmark.ts';
import type { Table } from './table.ts';
import { readable, type Spread, spreadOf } from './statistics.ts';

/** The last line of a benchmark's output. */
export interface Summary {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly yardstick: number | null;
  readonly ratio: number | null;
  readonly target: string;
  readonly runs: readonly (Run & { readonly ratio: number | null })[];
}

/** Medians, and every run behind them. */
export function summarise({ name, target }: Benchmark, { unit, runs }: Findings): Summary {
  const yardsticks = runs.flatMap(({ yardstick }) => (yardstick === null ? [] : [yardstick]));
  const ratios = ratiosOf(runs);
  return {
    name,
    value: spreadOf(runs.map(({ value }) => value)).median,
    unit,
    yardstick: yardsticks.length === 0 ? null : spreadOf(yardsticks).median,
    ratio: ratios.length === 0 ? null : spreadOf(ratios).median,
    target,
    runs: runs.map((run) => ({ ...run, ratio: run.yardstick === null ? null : run.value / run.yardstick })),
  };
}

/** A spread as people read it. */
export function spreadText({ median, min, max }: Spread): string {
  return min === max ? readable(median) : `${readable(median)} (${readable(min)} … ${readable(max)})`;
}

/** What was found, for the one who waited. */
export function describe(benchmark: Benchmark, findings: Findings): readonly string[] {
  const { unit, runs, remarks, tables, cpu, versions } = findings;
  const yardsticks = runs.flatMap(({ yardstick }) => (yardstick === null ? [] : [yardstick]));
  const ratios = ratiosOf(runs);
  const lines = [
    '',
    `${benchmark.name}: ${benchmark.what}`,
    `  measured   ${spreadText(spreadOf(runs.map(({ value }) => value)))} ${unit}`,
  ];
  if (yardsticks.length > 0) {
    lines.push(`  yardstick  ${spreadText(spreadOf(yardsticks))} ${unit}: ${benchmark.against}`);
    lines.push(`  ratio      ${spreadText(spreadOf(ratios))}`);
  }
  lines.push(`  target     ${benchmark.target}: ${findings.reached ? 'reached' : 'NOT reached'}`);
  if (cpu.length > 0) {
    const shares = cpu.map(({ process, seconds }) => `${process} ${seconds.toFixed(1)} s`);
    lines.push(`  CPU        ${shares.join(', ')}`);
  }
  for (const remark of remarks) lines.push(`  ${remark}`);
  for (const table of tables) lines.push('', ...tableLines(table).map((line) => `  ${line}`));
  lines.push(`  with ${versions.join(', ')}`);
  return lines;
}

/** A table for the one who waited. */
export function tableLines({ title, columns, rows }: Table): readonly string[] {
  const cells = [columns, ...rows].map((row) => row.map(cellText));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [`${title}:`, ...lines.map((line) => line.trimEnd())];
}

/** A cell of a table as text. */
export function cellText(cell: string | number): string {
  return typeof cell === 'number' ? readable(cell) : cell;
}

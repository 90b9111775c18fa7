import { type Benchmark, type Findings, ratiosOf, type Run, type Table } from './benchmark.ts';
import { readable, type Spread, spreadOf } from './statistics.ts';

/** A benchmark with what it found. */
export interface Measured {
  readonly benchmark: Benchmark;
  readonly findings: Findings;
}

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

/** Value, yardstick and ratio over all runs; null where there is no yardstick. */
export function spreadsOf({ runs }: Findings): {
  value: Spread;
  yardstick: Spread | null;
  ratio: Spread | null;
} {
  const yardsticks = runs.flatMap(({ yardstick }) => (yardstick === null ? [] : [yardstick]));
  return {
    value: spreadOf(runs.map(({ value }) => value)),
    yardstick: yardsticks.length === 0 ? null : spreadOf(yardsticks),
    ratio: yardsticks.length === 0 ? null : spreadOf(ratiosOf(runs)),
  };
}

/** Medians, and every run behind them. */
export function summarise({ benchmark: { name, target }, findings }: Measured): Summary {
  const { value, yardstick, ratio } = spreadsOf(findings);
  return {
    name,
    value: value.median,
    unit: findings.unit,
    yardstick: yardstick?.median ?? null,
    ratio: ratio?.median ?? null,
    target,
    runs: findings.runs.map((run) => ({
      ...run,
      ratio: run.yardstick === null ? null : run.value / run.yardstick,
    })),
  };
}

/** A spread as people read it. */
export function spreadText({ median, min, max }: Spread): string {
  return min === max ? readable(median) : `${readable(median)} (${readable(min)} … ${readable(max)})`;
}

export const spreadTextOf = (values: readonly number[]): string => spreadText(spreadOf(values));

/** What was found, in Markdown: for the one who waited, and for the document. */
export function reportLines({ benchmark, findings }: Measured): readonly string[] {
  const { unit, remarks = [], tables = [], cpu = [], versions } = findings;
  const { value, yardstick, ratio } = spreadsOf(findings);
  const lines = [
    `## ${benchmark.name}`,
    '',
    `${capital(benchmark.what)}.`,
    '',
    `- Measured: ${spreadText(value)} ${unit}`,
  ];
  if (yardstick && ratio) {
    lines.push(`- Yardstick, ${benchmark.against ?? ''}: ${spreadText(yardstick)} ${unit}`);
    lines.push(`- Ratio: ${spreadText(ratio)}`);
  }
  lines.push(`- Target: ${benchmark.target}; ${findings.reached ? 'reached' : '**not reached**'}`);
  for (const remark of remarks) lines.push(`- ${remark}`);
  const names = Object.keys(cpu[0] ?? {});
  const total = (name: string): number => cpu.reduce((sum, run) => sum + (run[name] ?? 0), 0);
  if (names.length > 0) {
    lines.push(
      `- CPU seconds, all runs: ${names.map((name) => `${name} ${total(name).toFixed(1)}`).join(', ')}`,
    );
  }
  lines.push(`- With ${versions.join(', ')}`);
  for (const table of tables) lines.push('', `${table.title}:`, '', ...tableLines(table));
  return lines;
}

/** A table without its title. */
export function tableLines({ columns, rows }: Omit<Table, 'title'>): readonly string[] {
  const cells = [columns, ...rows].map((row) => row.map(cellText));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const [head = '', ...body] = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body];
}

const cellText = (cell: string | number): string =>
  typeof cell === 'number' ? readable(cell) : cell.replaceAll('|', '\\|');

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

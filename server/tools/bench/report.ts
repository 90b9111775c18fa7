import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type BarChart, type Benchmark, type Findings, ratiosOf, type Run, type Table } from './benchmark.ts';
import { ROOT } from '../checks/child-process.ts';
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
  const { unit, remarks = [], tables = [], versions } = findings;
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

const DOCUMENT = `${ROOT}/docs/benchmarks.md`;
/** What follows is written by people and kept. */
const BY_HAND = '<!-- From here on written by hand; `npm run bench -- all` keeps it. -->';

/** Writes `docs/benchmarks.md`; what people wrote below the mark stays. Returns the path. */
export function writeDocument(all: readonly Measured[], circumstances: readonly string[]): string {
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '';
  const at = before.indexOf(BY_HAND);
  const byHand = at < 0 ? '' : before.slice(at + BY_HAND.length).trim();
  writeFileSync(
    DOCUMENT,
    `${documentText(all, circumstances)}\n${BY_HAND}\n${byHand === '' ? '' : `\n${byHand}\n`}`,
  );
  return DOCUMENT;
}

/**
 * The part that is written anew each time.
 * @param circumstances where and when it was measured: lines for the head
 */
export function documentText(all: readonly Measured[], circumstances: readonly string[]): string {
  return [
    '# Benchmarks',
    '',
    'Every figure is the median of several runs, with the smallest and the largest. Yardstick and subject run in turn',
    'in the same run on the same machine, because absolute figures say more about the machine than about the system.',
    'Everything here is written by `npm run bench -- all`; `npm run bench -- NAME` measures one line again.',
    '',
    ...circumstances.map((line) => `- ${line}`),
    '',
    ...tableLines({
      columns: ['benchmark', 'what', 'measured', 'yardstick', 'ratio', 'target', 'reached'],
      rows: all.map(summaryRow),
    }),
    '',
    ...all.flatMap((measured) => [
      ...reportLines(measured),
      '',
      ...chartsOf(measured).flatMap((chart) => [...chartLines(chart), '']),
    ]),
  ].join('\n');
}

function summaryRow({ benchmark, findings }: Measured): readonly string[] {
  const { value, yardstick, ratio } = spreadsOf(findings);
  return [
    `[\`${benchmark.name}\`](#${benchmark.name})`,
    benchmark.what,
    `${spreadText(value)} ${findings.unit}`,
    yardstick ? spreadText(yardstick) : '–',
    ratio ? spreadText(ratio) : '–',
    benchmark.target,
    findings.reached ? 'yes' : '**no**',
  ];
}

/** The benchmark's own charts, or one of itself beside its yardstick. */
function chartsOf({ benchmark: { name }, findings }: Measured): readonly BarChart[] {
  const { value, yardstick } = spreadsOf(findings);
  if (findings.charts) return findings.charts;
  if (!yardstick) return [];
  const bars = new Map([
    ['Stampede', value.median],
    ['yardstick', yardstick.median],
  ]);
  return [{ title: `${name} and its yardstick`, unit: findings.unit, bars }];
}

/** A chart as Mermaid, which GitHub, GitLab and editors draw, dark and light. */
function chartLines({ title, unit, bars }: BarChart): readonly string[] {
  const quoted = (text: string): string => `"${text.replaceAll('"', "'")}"`;
  return [
    '```mermaid',
    'xychart-beta horizontal',
    `  title ${quoted(title)}`,
    `  x-axis [${[...bars.keys()].map(quoted).join(', ')}]`,
    `  y-axis ${quoted(unit)}`,
    `  bar [${[...bars.values()].map((value) => Number(value.toPrecision(3))).join(', ')}]`,
    '```',
  ];
}

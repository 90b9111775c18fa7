import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ROOT } from '../../checks/child-process.ts';
import { type Benchmark, type Findings, ratiosOf } from '../benchmark.ts';
import type { Table } from '../table.ts';
import { cellText, spreadText } from '../report.ts';
import { spreadOf } from '../statistics.ts';
import { type BarChart, drawBars } from './bar-chart.ts';

const DOCUMENT = `${ROOT}/docs/benchmarks.md`;
const PICTURES = `${ROOT}/docs/benchmarks`;
/** What follows is written by people and kept. */
const BY_HAND = '<!-- From here on written by hand; `npm run bench -- all` keeps it. -->';

/** A benchmark with what it found. */
export interface Measured {
  readonly benchmark: Benchmark;
  readonly findings: Findings;
}

/** Where and when it was measured: lines for the head of the document. */
export type Circumstances = readonly string[];

/** Writes `docs/benchmarks.md` and its pictures; what people wrote below the mark stays. Returns the path. */
export function writeDocument(all: readonly Measured[], circumstances: Circumstances): string {
  mkdirSync(PICTURES, { recursive: true });
  for (const chart of all.flatMap(chartsOf)) writeFileSync(`${PICTURES}/${chart.name}.svg`, drawBars(chart));
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '';
  const at = before.indexOf(BY_HAND);
  const byHand = at < 0 ? '' : before.slice(at + BY_HAND.length).trim();
  writeFileSync(
    DOCUMENT,
    `${documentText(all, circumstances)}\n${BY_HAND}\n${byHand === '' ? '' : `\n${byHand}\n`}`,
  );
  return DOCUMENT;
}

/** The part that is written anew each time. */
export function documentText(all: readonly Measured[], circumstances: Circumstances): string {
  return [
    '# Benchmarks',
    '',
    'Every figure is the median of several runs, with the smallest and the largest. Yardstick and subject run in turn',
    'in the same run on the same machine, because absolute figures say more about the machine than about the system.',
    'Everything here is written by `npm run bench -- all`; `npm run bench -- NAME` measures one line again.',
    '',
    ...circumstances.map((line) => `- ${line}`),
    '',
    ...markdownTable({
      title: '',
      columns: ['benchmark', 'what', 'measured', 'yardstick', 'ratio', 'target', 'reached'],
      rows: all.map(summaryRow),
    }),
    '',
    ...all.flatMap(section),
  ].join('\n');
}

function summaryRow({ benchmark, findings }: Measured): readonly string[] {
  const { unit, runs, reached } = findings;
  const yardsticks = yardsticksOf(findings);
  const ratios = ratiosOf(runs);
  return [
    `[\`${benchmark.name}\`](#${benchmark.name})`,
    benchmark.what,
    `${spreadText(spreadOf(runs.map(({ value }) => value)))} ${unit}`,
    yardsticks.length === 0 ? '–' : spreadText(spreadOf(yardsticks)),
    ratios.length === 0 ? '–' : spreadText(spreadOf(ratios)),
    benchmark.target,
    reached ? 'yes' : '**no**',
  ];
}

function section({ benchmark, findings }: Measured): readonly string[] {
  const { remarks, tables, cpu, versions } = findings;
  const lines = [`## ${benchmark.name}`, '', `${capital(benchmark.what)}.`];
  if (benchmark.against !== '') lines.push(`Yardstick: ${benchmark.against}.`);
  lines.push('', `    npm run bench -- ${benchmark.name}`, '');
  for (const { name, title } of chartsOf({ benchmark, findings })) {
    lines.push(`![${title}](benchmarks/${name}.svg)`, '');
  }
  for (const remark of remarks) lines.push(`- ${remark}`);
  if (cpu.length > 0) {
    lines.push(
      `- CPU seconds, all runs: ${cpu.map(({ process, seconds }) => `${process} ${seconds.toFixed(1)}`).join(', ')}`,
    );
  }
  lines.push(`- With ${versions.join(', ')}`, '');
  for (const table of tables) lines.push(`${table.title}:`, '', ...markdownTable(table), '');
  return lines;
}

function yardsticksOf({ runs }: Findings): readonly number[] {
  return runs.flatMap(({ yardstick }) => (yardstick === null ? [] : [yardstick]));
}

/** The benchmark's own charts, and one of itself beside its yardstick. */
function chartsOf({ benchmark, findings }: Measured): readonly BarChart[] {
  const yardsticks = yardsticksOf(findings);
  const own = findings.charts ?? [];
  if (yardsticks.length === 0 || own.length > 0) return own;
  const bars = [
    { label: 'Stampede', spread: spreadOf(findings.runs.map(({ value }) => value)), isOurs: true },
    { label: 'yardstick', spread: spreadOf(yardsticks), isOurs: false },
  ];
  // What it is stands above it; a longer title would run into the unit.
  return [{ name: benchmark.name, title: `${benchmark.name} and its yardstick`, unit: findings.unit, bars }];
}

/** A table without its title. */
export function markdownTable({ columns, code = [], rows }: Table): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const cells = (row: Table['rows'][number]): readonly string[] =>
    row.map((cell, at) => (code.includes(columns[at] ?? '') ? `\`${cellText(cell)}\`` : cellText(cell)));
  return [line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map((row) => line(cells(row)))];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

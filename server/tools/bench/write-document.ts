import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ROOT } from '../checks/child-process.ts';
import type { BarChart } from './benchmark.ts';
import { type Measured, reportLines, spreadsOf, spreadText, tableLines } from './report.ts';

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

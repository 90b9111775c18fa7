import { HISTOGRAM_NAMES } from '../engine/load-metrics.ts';
import type { Period } from './artillery-run.ts';
import type { Reconciliation } from './reconciliation.ts';
import type { Scenario } from './scenario-file.ts';
import type { Measured, Verdict } from './thresholds.ts';

/** One level as it went. */
export interface LevelResult {
  /** Empty where the scenario has only one. */
  readonly label: string;
  readonly seconds: number;
  readonly measured: Measured;
  readonly periods: readonly Period[];
  readonly verdicts: readonly Verdict[];
  /** What should not have happened, by kind. */
  readonly errors: ReadonlyMap<string, number>;
}

/** Where and when it was measured. */
export interface Circumstances {
  readonly command: string;
  readonly at: Date;
  readonly servers: readonly string[];
  readonly show: string;
  readonly machine: string;
  readonly versions: string;
  /** Resident bytes of each server before and after; null where it doesn't tell. */
  readonly residentBytes: readonly (readonly [number | null, number | null])[];
}

export interface LoadResult {
  readonly scenario: Pick<Scenario, 'name' | 'description'>;
  readonly levels: readonly LevelResult[];
  readonly reconciliation: Reconciliation;
}

const ERROR_METRIC = 'errors.';
const BYTES_PER_MB = 1_000_000;
/** More rows than this tell no more. */
const PERIODS_SHOWN = 15;
const PARTS = ['count', 'p50', 'p95', 'p99', 'max'] as const;

/** Whether every strict threshold held and the database agrees. */
export function isHeld({ levels, reconciliation }: LoadResult): boolean {
  const verdicts = levels.flatMap((level) => level.verdicts);
  return reconciliation.isClean && verdicts.every(({ held, isStrict }) => held || !isStrict);
}

/** The errors among the metrics of a run, by kind, without the prefix. */
export function errorsOf(measured: Measured): ReadonlyMap<string, number> {
  const errors = [...measured].filter(([name]) => name.startsWith(ERROR_METRIC));
  return new Map(errors.map(([name, count]) => [name.slice(ERROR_METRIC.length), count]));
}

/** What `--json` prints. */
export function summaryOf(result: LoadResult, report: string): object {
  const { reconciliation, scenario, levels } = result;
  return {
    scenario: scenario.name,
    held: isHeld(result),
    levels: levels.map(({ label, seconds, measured, verdicts, errors }) => ({
      ...(label !== '' && { label }),
      seconds: rounded(seconds),
      users: measured.get('vusers.created') ?? 0,
      requests: measured.get('stampede.requests') ?? 0,
      errors: measured.get('stampede.errors') ?? 0,
      tickets: measured.get('stampede.tickets') ?? 0,
      p50Ms: measured.get('stampede.response_ms.p50') ?? null,
      p95Ms: measured.get('stampede.response_ms.p95') ?? null,
      p99Ms: measured.get('stampede.response_ms.p99') ?? null,
      thresholds: verdicts.map(({ text, held, value }) => ({ text, held, value })),
      errorKinds: Object.fromEntries(errors),
    })),
    database: { ...reconciliation, findings: Object.fromEntries(reconciliation.findings) },
    report,
  };
}

/** The verdicts for people at a terminal, as lines. */
export function verdictLines(result: LoadResult): string[] {
  const { levels, reconciliation } = result;
  return [
    ...levels.flatMap(({ label, verdicts, errors }) => [
      ...(label === '' ? [] : [`${label}:`]),
      ...verdicts.map(
        (verdict) => `  ${wordOf(verdict).padEnd(8)} ${verdict.text}  (${shown(verdict.value)})`,
      ),
      ...[...errors].map(([kind, count]) => `  ${String(count).padStart(8)} × ${kind}`),
    ]),
    `  ${(reconciliation.isClean ? 'ok' : 'FAILED').padEnd(8)} database: ${databaseLine(reconciliation)}`,
    ...[...reconciliation.findings].map(([kind, count]) => `  ${String(count).padStart(8)} × ${kind}`),
  ];
}

/** The whole report as Markdown. */
export function markdownOf(result: LoadResult, circumstances: Circumstances): string {
  const { scenario, levels, reconciliation } = result;
  const sections = [
    `# ${scenario.name}: ${isHeld(result) ? 'every threshold held' : 'FAILED'}`,
    scenario.description,
    circumstanceList(circumstances),
    '## Thresholds',
    table(['', 'threshold', ...levels.map(levelTitle)], thresholdRows(levels)),
    '## Database',
    `${reconciliation.isClean ? 'Agrees' : '**Does not agree**'}: ${databaseLine(reconciliation)}.`,
    ...(reconciliation.findings.size > 0
      ? [table(['what must not be', 'times'], [...reconciliation.findings])]
      : []),
    '## Response times in milliseconds',
    ...levels.flatMap((level) => [
      ...(level.label === '' ? [] : [`### ${level.label}`]),
      table(['request or wait', 'answers', ...PARTS.slice(1)], latencyRows(level.measured)),
    ]),
    'Every time contains `own_delay`: how late the load itself was with its work, by the worst per cent of each second.',
    '## Over time',
    ...levels.flatMap(({ label, periods }) => [
      ...(label === '' ? [] : [`### ${label}`]),
      table(['from second', 'requests', 'unexpected', 'p95 ms'], periodRows(periods)),
    ]),
    '## Counters',
    table(['counter', ...levels.map(levelTitle)], counterRows(levels)),
  ];
  return `${sections.join('\n\n')}\n`;
}

function circumstanceList(given: Circumstances): string {
  const { command, at, servers, show, machine, versions, residentBytes } = given;
  const megabytes = (bytes: number | null): string =>
    bytes === null ? '?' : `${Math.round(bytes / BYTES_PER_MB)} MB`;
  const memory = residentBytes.map(
    ([before, after]) => `${megabytes(before)} before, ${megabytes(after)} after`,
  );
  return [
    `- \`${command}\`, ${at.toISOString()}`,
    `- ${servers.join(' and ')}, ${show}; resident memory ${memory.join('; ')}`,
    `- ${machine}; ${versions}`,
  ].join('\n');
}

const levelTitle = ({ label, seconds }: LevelResult): string => label || `${Math.round(seconds)} s`;

function thresholdRows(levels: readonly LevelResult[]): string[][] {
  const [first] = levels;
  return (first?.verdicts ?? []).map(({ text }, index) => {
    const verdicts = levels.flatMap((level) => level.verdicts[index] ?? []);
    const isFine = verdicts.every(({ held }) => held);
    const values = verdicts.map((verdict) =>
      verdict.held ? shown(verdict.value) : `**${shown(verdict.value)}**`,
    );
    return [isFine ? 'ok' : '**failed**', `\`${text}\``, ...values];
  });
}

function latencyRows(measured: Measured): string[][] {
  return HISTOGRAM_NAMES.filter((name) => measured.has(`${name}.count`)).map((name) => [
    name.replace(/^stampede\.|_ms$/g, ''),
    ...PARTS.map((part) => shown(measured.get(`${name}.${part}`) ?? null)),
  ]);
}

/** Some of the periods, evenly spread from the first to the last. */
function periodRows(periods: readonly Period[]): string[][] {
  const step = Math.max(1, (periods.length - 1) / (PERIODS_SHOWN - 1));
  const count = Math.min(periods.length, PERIODS_SHOWN);
  return Array.from({ length: count }, (_, index) => periods[Math.round(index * step)]).flatMap((period) =>
    period ? [[period.at, period.requests, period.errors, period.p95Ms].map(shown)] : [],
  );
}

function counterRows(levels: readonly LevelResult[]): string[][] {
  const names = new Set(levels.flatMap(({ measured }) => [...measured.keys()]));
  const counters = [...names].filter((name) => !/\.(min|max|count|mean|median|p\d+)$/.test(name)).sort();
  return counters.map((name) => [
    `\`${name}\``,
    ...levels.map(({ measured }) => shown(measured.get(name) ?? 0)),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  // Words to the left, figures to the right.
  const isFigure = (index: number): boolean => /^(\*\*)?-?\d/.test(String(rows[0]?.[index] ?? ''));
  const sides = head.map((_, index) => (isFigure(index) ? '--:' : '---'));
  return [line(head), line(sides), ...rows.map(line)].join('\n');
}

function databaseLine({ soldSeats, toldSeats, oversold, soldToOthers, undecided }: Reconciliation): string {
  return (
    `${soldSeats} seats sold to these buyers, who were told of ${toldSeats}; ${oversold} oversold` +
    (undecided > 0 ? `; ${undecided} buyers left undecided` : '') +
    (soldToOthers > 0 ? `; ${soldToOthers} seats sold to others meanwhile` : '')
  );
}

function wordOf({ held, isStrict }: Verdict): string {
  if (held) return 'ok';
  return isStrict ? 'FAILED' : 'missed';
}

function shown(value: number | null): string {
  return value === null ? 'not measured' : String(rounded(value));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

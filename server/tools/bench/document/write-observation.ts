import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../table.ts';
import type { Wanted } from '../observing/observer-for.ts';
import { tableLines } from '../report.ts';
import { markdownTable } from './write-document.ts';

const TITLES: Readonly<Record<Wanted['kind'], string>> = { profile: 'CPU profile', syscalls: 'system calls' };

/** What an observer saw of a benchmark. */
export interface Seen {
  readonly benchmark: string;
  /** Where, when and how: lines for the head. */
  readonly notes: readonly string[];
  /** Empty where the benchmark has no measured window of our servers. */
  readonly tables: readonly Table[];
}

/** Writes the report, if there is any, and returns lines for the one who waited. */
export function tellObservation({ kind, folder }: Wanted, seen: Seen): readonly string[] {
  if (seen.tables.length === 0)
    return ['', `${seen.benchmark} has no measured window of our servers: nothing was observed.`];
  const path = join(folder, `${seen.benchmark}-${kind}.md`);
  writeFileSync(path, observationText(kind, seen));
  return [...seen.tables.flatMap((table) => ['', ...tableLines(table)]), '', `Written: ${path}`];
}

/** A section that can be copied into a document. */
export function observationText(kind: Wanted['kind'], { benchmark, notes, tables }: Seen): string {
  return [
    `### ${benchmark}: ${TITLES[kind]}`,
    '',
    ...notes.map((line) => `- ${line}`),
    ...tables.flatMap((table) => ['', `${table.title}:`, '', ...markdownTable(table)]),
    '',
  ].join('\n');
}

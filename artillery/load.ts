/** `npm run load`: one scenario of Artillery against a running server, judged, reported and reconciled. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import type { JournalEntry } from './engine/journal.ts';
import { type LoadArguments, readArguments, usage } from './load/arguments.ts';
import { ArtilleryRun, progressLine } from './load/artillery-run.ts';
import {
  type Circumstances,
  errorsOf,
  isHeld,
  type LevelResult,
  markdownOf,
  summaryOf,
  verdictLines,
} from './load/load-report.ts';
import { readPage, reconcile } from './load/reconciliation.ts';
import {
  ARTILLERY_FOLDER,
  peakOf,
  readScenario,
  type Scenario,
  scenarioNames,
} from './load/scenario-file.ts';
import { findOpenShow, residentBytes } from './load/setting.ts';
import { judge } from './load/thresholds.ts';
import { isLoopback, taskSurroundings } from '../server/tools/crowd/places.ts';
import { checkOpenFiles } from '../server/tools/shopper/sockets.ts';
import type { CrowdShow } from '../server/tools/shopper/ticket-office.ts';
import { installFolder, packagesOf } from '../server/tools/tasks/install-folder.ts';
import { ProgressLine, runTask } from '../server/tools/tasks/task.ts';

const EXIT_NOT_HELD = 1;
const EXIT_INTERRUPTED = 130;
const RUN_NAME_LENGTH = 8;
const BYTES_PER_GIB = 2 ** 30;

/** What the levels of a scenario left behind. */
interface Measurement {
  readonly levels: readonly LevelResult[];
  readonly entries: readonly JournalEntry[];
}

/** Runs the levels one after the other; null if it was interrupted. */
async function measure(
  args: LoadArguments,
  scenario: Scenario,
  run: string,
  folder: string,
  say: NodeJS.WriteStream,
): Promise<Measurement | null> {
  const levels: LevelResult[] = [];
  const entries: JournalEntry[] = [];
  const progress = new ProgressLine(say);
  let current: ArtilleryRun | null = null;
  const stop = new AbortController();
  const interrupt = (): void => {
    stop.abort();
    current?.interrupt();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    for (const [index, level] of scenario.levels.entries()) {
      if (stop.signal.aborted) return null;
      if (level.label !== '') say.write(`${level.label}\n`);
      const { servers } = args;
      current = new ArtilleryRun({ scenario, level, servers, run, folder: join(folder, String(index)) });
      const result = await current.run((state, seconds) => progress.show(progressLine(state, seconds)));
      progress.end();
      if (!result) return null;
      const { measured, periods, seconds } = result;
      const verdicts = scenario.thresholds.map((threshold) => judge(threshold, measured));
      levels.push({ label: level.label, seconds, measured, periods, verdicts, errors: errorsOf(measured) });
      entries.push(...result.entries);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  return { levels, entries };
}

async function load(args: LoadArguments): Promise<number> {
  const say = args.json ? process.stderr : process.stdout;
  const line = (text: string): void => void say.write(`${text}\n`);
  const scenario = readScenario(args.scenario, args);
  checkOpenFiles(scenario.name, Math.max(...scenario.levels.map(peakOf)));
  const show = await findOpenShow(args, scenario, line);
  const before = await readPage(args.ledgers, show);
  await installFolder(ARTILLERY_FOLDER, 'Artillery in artillery/, half a gigabyte', line);

  const at = new Date();
  const run = randomUUID().slice(0, RUN_NAME_LENGTH);
  const name = `${scenario.name}-${at.toISOString().replace(/[:.]/g, '-')}`;
  const folder = join(ARTILLERY_FOLDER, 'reports', name);
  mkdirSync(folder, { recursive: true });
  const servers = args.servers.map((server) => server.origin);
  line(`${scenario.name} at "${show.title}", ${servers.join(' and ')}`);
  const bytesBefore = await residentBytes(args.servers);
  const measurement = await measure(args, scenario, run, folder, say);
  if (!measurement) {
    rmSync(folder, { recursive: true });
    line('Interrupted; there is nothing to report.');
    return EXIT_INTERRUPTED;
  }
  const bytesAfter = await residentBytes(args.servers);
  const after = await readPage(args.ledgers, show);
  const { levels, entries } = measurement;
  const result = { scenario, levels, reconciliation: reconcile(run, show, before, after, entries) };
  const report = `${folder}.md`;
  const residents = bytesBefore.map((bytes, index) => [bytes, bytesAfter[index] ?? null] as const);
  writeFileSync(
    report,
    markdownOf(result, { ...circumstancesOf(args, show), at, servers, residentBytes: residents }),
  );
  const shown = relative(process.cwd(), report);
  for (const text of [...verdictLines(result), ...detailsOf(entries), `Report: ${shown}`]) line(text);
  if (args.json) process.stdout.write(`${JSON.stringify(summaryOf(result, shown))}\n`);
  return isHeld(result) ? 0 : EXIT_NOT_HELD;
}

function circumstancesOf(
  { servers }: LoadArguments,
  show: CrowdShow,
): Pick<Circumstances, 'command' | 'show' | 'machine' | 'versions'> {
  const artillery = packagesOf(join(ARTILLERY_FOLDER, 'package-lock.json'))['node_modules/artillery'];
  const shared = servers.every(isLoopback) ? 'server and load on it' : 'the server elsewhere';
  const memory = `${Math.round(totalmem() / BYTES_PER_GIB)} GiB`;
  return {
    command: ['npm run load --', ...process.argv.slice(2)].join(' '),
    show: `"${show.title}" with ${show.map.seatCount} seats`,
    machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}, ${memory}, ${shared}`,
    versions: `Node ${process.version}, Artillery ${artillery?.version ?? '?'}`,
  };
}

/** The first of the unexpected, with their details. */
function detailsOf(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap((entry) =>
    entry.type === 'error' ? [`  buyer ${entry.buyer}: ${entry.kind}`] : [],
  );
}

await runTask(async () => {
  const names = scenarioNames();
  const args = readArguments(process.argv.slice(2), taskSurroundings(), names);
  if (args) return load(args);
  process.stdout.write(`${usage(names)}\n`);
  return undefined;
});

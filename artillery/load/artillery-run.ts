import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  JOURNAL_VARIABLE,
  type JournalEntry,
  JournalReader,
  type Progress,
  RUN_VARIABLE,
  STAGES,
} from '../engine/journal.ts';
import { ARTILLERY_FOLDER, type Level, type Scenario } from './scenario-file.ts';
import type { Measured } from './thresholds.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

/** One line that says where everybody is. */
export function progressLine({ stages, requests, errors, ticketsTold }: Progress, seconds: number): string {
  const standing = STAGES.filter((stage) => stages[stage] > 0).map((stage) => `${stages[stage]} ${stage}`);
  const shown = standing.length === 0 ? ['Artillery is starting'] : [...standing, `${requests} requests`];
  if (ticketsTold > 0) shown.push(`${ticketsTold} tickets`);
  if (errors > 0) shown.push(`${errors} UNEXPECTED`);
  return `${String(Math.round(seconds)).padStart(4)} s  ${shown.join(' · ')}`;
}

const ARTILLERY_PROGRAM = join(ARTILLERY_FOLDER, 'node_modules', 'artillery', 'bin', 'run');
const OUTPUT_FILE = 'artillery.json';
const LOG_FILE = 'artillery.log';
const PROGRESS_INTERVAL_MS = 1_000;
/** Artillery ends its workers in an orderly way; after this it is ended without. */
const KILL_AFTER_MS = 10_000;
/** Artillery's own thresholds failed: they are judged here again, with their values. */
const EXIT_THRESHOLDS = 1;
const LOG_LINES_SHOWN = 3;

const report = z.object({
  aggregate: z.object({
    counters: z.record(z.string(), z.number()).default({}),
    rates: z.record(z.string(), z.number()).default({}),
    summaries: z.record(z.string(), z.record(z.string(), z.number().nullable())).default({}),
  }),
  intermediate: z.array(
    z.object({
      period: z.coerce.number(),
      counters: z.record(z.string(), z.number()).default({}),
      summaries: z.record(z.string(), z.object({ p95: z.number() })).default({}),
    }),
  ),
});

/** What to run, and where it leaves its files. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly level: Level;
  readonly servers: readonly [URL, ...URL[]];
  /** Begins every idempotency key. */
  readonly run: string;
  /** A folder of this run alone. */
  readonly folder: string;
}

/** Ten seconds of a run. */
export interface Period {
  /** Seconds after the first one began. */
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  /** Null where nothing was answered. */
  readonly p95Ms: number | null;
}

/** What one run of Artillery left behind. */
export interface RunResult {
  readonly measured: Measured;
  readonly periods: readonly Period[];
  readonly entries: readonly JournalEntry[];
  readonly seconds: number;
}

/** Artillery on one level of a scenario. */
export class ArtilleryRun {
  readonly #plan: RunPlan;
  readonly #entries: JournalEntry[] = [];
  readonly #latest = new Map<string, Progress>();
  #child: ChildProcess | null = null;
  #isInterrupted = false;

  constructor(plan: RunPlan) {
    this.#plan = plan;
  }

  /**
   * Runs it to its end.
   * @param show called about every second with where everybody stands
   * @returns null if it was interrupted
   * @throws TaskError if Artillery ended before it was done
   */
  async run(show: (progress: Progress, seconds: number) => void): Promise<RunResult | null> {
    const { folder } = this.#plan;
    mkdirSync(folder, { recursive: true });
    const journal = new JournalReader(folder);
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1_000;
    const timer = setInterval(() => {
      this.#read(journal);
      show(sumOf([...this.#latest.values()]), seconds());
    }, PROGRESS_INTERVAL_MS);
    const code = await this.#runChild();
    clearInterval(timer);
    this.#read(journal);
    if (this.#isInterrupted) return null;
    if (code !== 0 && code !== EXIT_THRESHOLDS) throw this.#failed(`ended with code ${code}`);
    return { ...this.#measured(), entries: this.#entries, seconds: seconds() };
  }

  /** Ends it; what it measured is worth nothing then. */
  interrupt(): void {
    this.#isInterrupted = true;
    const child = this.#child;
    if (!child) return;
    child.kill('SIGINT');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  }

  #runChild(): Promise<number> {
    const { scenario, level, servers, run, folder } = this.#plan;
    const engine = { show: scenario.show, servers: servers.map((server) => server.origin) };
    const overrides = { config: { phases: level.phases, engines: { stampede: engine } } };
    const log = openSync(join(folder, LOG_FILE), 'w');
    const child = spawn(
      process.execPath,
      [
        ARTILLERY_PROGRAM,
        'run',
        ...['--target', servers[0].origin],
        ...['--overrides', JSON.stringify(overrides)],
        ...['--output', join(folder, OUTPUT_FILE)],
        scenario.file,
      ],
      {
        cwd: ARTILLERY_FOLDER,
        stdio: ['ignore', log, log],
        env: {
          ...process.env,
          ARTILLERY_DISABLE_TELEMETRY: 'true',
          [JOURNAL_VARIABLE]: folder,
          [RUN_VARIABLE]: run,
        },
      },
    );
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.once('error', (cause) =>
      reject(new TaskError(`Artillery could not be run: ${cause.message}.`, { cause })),
    );
    child.once('exit', (code) => resolve(code ?? -1));
    return promise.finally(() => closeSync(log));
  }

  #read(journal: JournalReader): void {
    for (const [worker, entries] of journal.readNew()) {
      for (const entry of entries) {
        if (entry.type === 'progress') this.#latest.set(worker, entry);
        else this.#entries.push(entry);
      }
    }
  }

  #measured(): Pick<RunResult, 'measured' | 'periods'> {
    let text: string;
    try {
      text = readFileSync(join(this.#plan.folder, OUTPUT_FILE), 'utf8');
    } catch {
      throw this.#failed('left no report');
    }
    const { aggregate, intermediate } = report.parse(JSON.parse(text));
    const { counters, rates, summaries } = aggregate;
    const measured = new Map([...Object.entries(counters), ...Object.entries(rates)]);
    for (const [name, parts] of Object.entries(summaries)) {
      for (const [part, value] of Object.entries(parts))
        if (value !== null) measured.set(`${name}.${part}`, value);
    }
    const begin = Math.min(...intermediate.map(({ period }) => period));
    const periods = intermediate.map((one) => ({
      at: (one.period - begin) / 1_000,
      requests: one.counters['stampede.requests'] ?? 0,
      errors: one.counters['stampede.errors'] ?? 0,
      p95Ms: one.summaries['stampede.response_ms']?.p95 ?? null,
    }));
    return { measured, periods };
  }

  #failed(what: string): TaskError {
    const file = join(this.#plan.folder, LOG_FILE);
    const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-LOG_LINES_SHOWN);
    return new TaskError(`Artillery ${what}: ${lines.join(' | ')} (all of it: ${file})`);
  }
}

/** Where everybody stands, whichever worker they belong to. */
function sumOf(all: readonly Progress[]): Progress {
  const total = (of: (one: Progress) => number): number => all.reduce((sum, one) => sum + of(one), 0);
  const stages = STAGES.map((stage) => [stage, total((one) => one.stages[stage])] as const);
  return {
    // Every stage is there, which `fromEntries` forgets.
    stages: Object.fromEntries(stages) as Progress['stages'],
    requests: total((one) => one.requests),
    errors: total((one) => one.errors),
    ticketsTold: total((one) => one.ticketsTold),
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { findProgram } from '../../stack/find-program.ts';
import type { Table } from '../table.ts';
import type { Observed, ObservedServer, Observer } from './observer.ts';
import { readSummary, sumOf, type SystemCall } from './strace-summary.ts';

const CALLS_SHOWN = 25;
const ATTACHED = /Process \d+ attached/;

interface Trace {
  readonly name: string;
  readonly strace: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly file: string;
}

/** Counts the system calls of each server in each window with strace. Every call costs several times as much then. */
export class SyscallObserver implements Observer {
  readonly nodeOptions = [];
  readonly #program: string;
  readonly #folder: string;
  readonly #prefix: string;
  readonly #counted = new Map<string, (readonly SystemCall[])[]>();
  #traces: Trace[] = [];
  #windows = 0;

  /**
   * @param prefix what the names of the files begin with
   * @throws BenchError where strace is not installed
   */
  constructor(folder: string, prefix: string) {
    const program = findProgram('strace');
    if (program === undefined) {
      throw new BenchError(
        'System calls are counted with strace, which is not installed (apt install strace).',
      );
    }
    this.#program = program;
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#prefix = prefix;
  }

  async open(servers: Observed): Promise<void> {
    if (servers.size === 0) return;
    this.#windows += 1;
    for (const name of servers.keys()) if (!this.#counted.has(name)) this.#counted.set(name, []);
    await Promise.all([...servers].map((one) => this.#attach(...one)));
  }

  async #attach(name: string, { pid }: ObservedServer): Promise<void> {
    const file = join(this.#folder, `${this.#prefix}-${name}-${this.#windows}.strace`);
    const args = ['-c', '-f', '-o', file, '-p', String(pid)];
    const strace = spawn(this.#program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(strace, 'exit');
    this.#traces.push({ name, strace, ended, file });
    let said = '';
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    strace.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (ATTACHED.test(said)) resolve(undefined);
    });
    strace.once('close', () => reject(new BenchError(`strace could not watch the ${name}: ${said.trim()}`)));
    await promise;
  }

  async close(): Promise<void> {
    const traces = this.#traces;
    await this.release();
    for (const { name, file } of traces) {
      this.#counted.get(name)?.push(readSummary(readFileSync(file, 'utf8')));
    }
  }

  async release(): Promise<void> {
    const traces = this.#traces;
    this.#traces = [];
    // On an interrupt strace lets its process go on alone, and writes its summary.
    for (const { strace } of traces) strace.kill('SIGINT');
    await Promise.all(traces.map(({ ended }) => ended));
  }

  tables(): readonly Table[] {
    return [...this.#counted].map(([name, summaries]) => ({
      title: `System calls of the ${name}, all threads; measured windows: ${summaries.length}`,
      columns: ['calls', 'errors', 'system call'],
      code: ['system call'],
      rows: sumOf(summaries)
        .slice(0, CALLS_SHOWN)
        .map(({ name: call, calls, errors }) => [
          calls.toLocaleString('en'),
          errors.toLocaleString('en'),
          call,
        ]),
    }));
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Table } from '../benchmark.ts';
import type { ServerProcess } from '../rigs/server-process.ts';
import { SelfTimes } from './cpu-profile.ts';
import { InspectorClient } from './inspector-client.ts';
import type { Observed, Observer } from './observer.ts';

const FUNCTIONS_SHOWN = 25;
/** Windows may be a second short; ten times as many samples as by default still cost little. */
const SAMPLE_EVERY_MICROSECONDS = 200;
const stopShape = z.object({ profile: z.unknown() });

/** Takes a CPU profile of each server in each window, as a file that Chrome DevTools and editors open. */
export class ProfilingObserver implements Observer {
  readonly nodeOptions = ['--inspect=127.0.0.1:0'];
  readonly #folder: string;
  readonly #prefix: string;
  readonly #times = new Map<string, SelfTimes>();
  #watched: readonly { readonly name: string; readonly inspector: InspectorClient }[] = [];
  #windows = 0;

  /** @param prefix what the names of the files begin with */
  constructor(folder: string, prefix: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#prefix = prefix;
  }

  async open(servers: Observed): Promise<void> {
    const watch = async ([name, { inspectorUrl }]: [string, ServerProcess]) => ({
      name,
      inspector: await InspectorClient.connect(inspectorUrl),
    });
    this.#watched = await Promise.all([...servers].map(watch));
    this.#windows += 1;
    const begin = async (inspector: InspectorClient): Promise<void> => {
      await inspector.call('Profiler.enable');
      await inspector.call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_MICROSECONDS });
      await inspector.call('Profiler.start');
    };
    await Promise.all(this.#watched.map(({ inspector }) => begin(inspector)));
  }

  async close(): Promise<void> {
    const end = async (name: string, inspector: InspectorClient): Promise<void> => {
      const { profile } = stopShape.parse(await inspector.call('Profiler.stop'));
      const times = this.#times.get(name) ?? new SelfTimes();
      this.#times.set(name, times);
      times.add(profile);
      const file = `${this.#prefix}-${name}-${this.#windows}.cpuprofile`;
      writeFileSync(join(this.#folder, file), JSON.stringify(profile));
    };
    await Promise.all(this.#watched.map(({ name, inspector }) => end(name, inspector)));
    await this.release();
  }

  async release(): Promise<void> {
    await Promise.all(this.#watched.map(({ inspector }) => inspector.close()));
    this.#watched = [];
  }

  tables(): readonly Table[] {
    return [...this.#times].map(([name, times]) => ({
      title: `What the ${name} did in the measured windows: ${times.totalMs.toFixed(0)} ms by function, without what it called`,
      columns: ['self %', 'ms', 'function'],
      rows: times
        .top(FUNCTIONS_SHOWN)
        .map(({ where, ms, share }) => [(share * 100).toFixed(1), ms.toFixed(1), where]),
    }));
  }
}

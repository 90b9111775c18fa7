import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Table } from '../table.ts';
import { SelfTimes } from './cpu-profile.ts';
import { InspectorClient } from './inspector-client.ts';
import type { Observed, ObservedServer, Observer } from './observer.ts';
import { type Vitals, vitalsTable, watchVitals } from './vitals.ts';

const FUNCTIONS_SHOWN = 25;
/** Windows may be shorter than a second: twice as many samples as by default. */
const SAMPLE_EVERY_MICROSECONDS = 500;
const stopShape = z.object({ profile: z.unknown() });

interface Watched {
  readonly name: string;
  readonly inspector: InspectorClient;
  readonly readVitals: () => Promise<Vitals>;
}

/**
 * Takes a CPU profile of each server in each window, as a file that Chrome DevTools and editors open, and how late its
 * event loop was.
 */
export class ProfilingObserver implements Observer {
  readonly nodeOptions = ['--inspect=127.0.0.1:0'];
  readonly #folder: string;
  readonly #prefix: string;
  readonly #seen = new Map<string, { readonly times: SelfTimes; readonly vitals: Vitals[] }>();
  readonly #clients: InspectorClient[] = [];
  #watched: readonly Watched[] = [];
  #windows = 0;

  /** @param prefix what the names of the files begin with */
  constructor(folder: string, prefix: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#prefix = prefix;
  }

  async open(servers: Observed): Promise<void> {
    if (servers.size === 0) return;
    this.#windows += 1;
    for (const name of servers.keys()) {
      if (!this.#seen.has(name)) this.#seen.set(name, { times: new SelfTimes(), vitals: [] });
    }
    this.#watched = await Promise.all([...servers].map((one) => this.#watch(...one)));
  }

  async #watch(name: string, { inspectorUrl }: ObservedServer): Promise<Watched> {
    const inspector = await InspectorClient.connect(inspectorUrl);
    this.#clients.push(inspector);
    await inspector.call('Profiler.enable');
    await inspector.call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_MICROSECONDS });
    await inspector.call('Profiler.start');
    return { name, inspector, readVitals: await watchVitals(inspector) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#watched.map((one) => this.#read(one)));
    await this.release();
  }

  async #read({ name, inspector, readVitals }: Watched): Promise<void> {
    const [vitals, stopped] = await Promise.all([readVitals(), inspector.call('Profiler.stop')]);
    const { profile } = stopShape.parse(stopped);
    const seen = this.#seen.get(name);
    seen?.vitals.push(vitals);
    seen?.times.add(profile);
    const file = `${this.#prefix}-${name}-${this.#windows}.cpuprofile`;
    writeFileSync(join(this.#folder, file), JSON.stringify(profile));
  }

  async release(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    this.#watched = [];
  }

  tables(): readonly Table[] {
    if (this.#seen.size === 0) return [];
    const functions = [...this.#seen].map(([name, { times }]) => ({
      title:
        `The ${name} by function, without what it called (${times.totalMs.toFixed(0)} ms by the clock, ` +
        'waiting for a core included)',
      columns: ['self %', 'ms', 'function'],
      code: ['function'],
      rows: times
        .top(FUNCTIONS_SHOWN)
        .map(({ where, ms, share }) => [(share * 100).toFixed(1), ms.toFixed(1), where]),
    }));
    return [vitalsTable([...this.#seen].map(([name, { vitals }]) => [name, vitals])), ...functions];
  }
}

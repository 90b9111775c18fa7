import { CpuMeter } from '../cpu-time.ts';
import { ServerProcess } from '../rigs/server-process.ts';
import type { Observed, Observer } from './observer.ts';

/** Processes by what they are called in the report. */
export type Processes = Readonly<Record<string, { readonly pid?: number | undefined }>>;

/** Meters the CPU time of processes in the windows that count; our servers are observed there if that was asked for. */
export class WindowMeter {
  readonly #cpu: CpuMeter;
  readonly #servers: Observed;
  readonly #observer: Observer | null;

  constructor(observer: Observer | null, processes: Processes) {
    const all = Object.entries(processes);
    this.#cpu = new CpuMeter(Object.fromEntries(all.map(([name, { pid }]) => [name, pid])));
    this.#servers = new Map(
      all.flatMap(([name, one]) => (one instanceof ServerProcess ? [[name, one] as const] : [])),
    );
    this.#observer = observer;
  }

  /** A window opens. */
  async start(): Promise<void> {
    await this.#observer?.open(this.#servers);
    this.#cpu.start();
  }

  /** It closes. Resolves with the CPU seconds of this window by process. */
  async stop(): Promise<ReadonlyMap<string, number>> {
    const spent = this.#cpu.stop();
    await this.#observer?.close();
    return spent;
  }

  get shares(): CpuMeter['shares'] {
    return this.#cpu.shares;
  }
}

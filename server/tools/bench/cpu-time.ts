import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second for user space, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;
/** Counted after the program's name, which may hold anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/**
 * CPU seconds in a text of `/proc/PID/stat`, the kernel's on behalf of the process included; children are their own.
 * @throws RangeError if it is no such text
 */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
  if (!Number.isFinite(ticks)) throw new RangeError(`no process statistics: ${stat}`);
  return ticks / TICKS_PER_SECOND;
}

/** Processes by what they are called in the report. */
export type Watched = Readonly<Record<string, number | undefined>>;

/** Adds up the CPU time of processes over the stretches that are measured. */
export class CpuMeter {
  readonly #processes: Watched;
  readonly #total = new Map<string, number>();
  #since = new Map<string, number>();

  constructor(processes: Watched) {
    this.#processes = processes;
  }

  /** A stretch begins. */
  start(): void {
    this.#since = this.#read();
  }

  /** It ends. Returns the seconds of this stretch by process. */
  stop(): ReadonlyMap<string, number> {
    const spent = new Map<string, number>();
    for (const [name, seconds] of this.#read()) {
      const used = seconds - (this.#since.get(name) ?? seconds);
      spent.set(name, used);
      this.#total.set(name, (this.#total.get(name) ?? 0) + used);
    }
    return spent;
  }

  get shares(): readonly { readonly process: string; readonly seconds: number }[] {
    return [...this.#total].map(([process, seconds]) => ({ process, seconds }));
  }

  #read(): Map<string, number> {
    const all = new Map<string, number>();
    for (const [name, pid] of Object.entries(this.#processes)) {
      if (pid !== undefined) all.set(name, cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    }
    return all;
  }
}

/** Resident memory that is a process's own, in bytes: the pages of program files are read when they are first run. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kilobytes === undefined) throw new RangeError(`process ${pid} has no memory`);
  return Number(kilobytes) * 1_024;
}

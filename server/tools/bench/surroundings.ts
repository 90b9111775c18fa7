import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { z } from 'zod';
import { ROOT } from '../checks/child-process.ts';

const BYTES_PER_GIB = 1_024 ** 3;
/** Linux counts in hundredths of a second for user space, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;
/** Counted after the program's name, which may hold anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** The machine in one line: figures mean little without it. */
export function machine(): string {
  const all = cpus();
  const memory = `${Math.round(totalmem() / BYTES_PER_GIB)} GiB`;
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${memory}, ${process.platform} ${release()}`;
}

/** Processes that wanted a core during the last minute: with more than a few of others', figures are not to be trusted. */
export const load = (): number => loadavg()[0] ?? 0;

const manifest = z.object({ version: z.string() });

/** A package of this checkout with the version that is installed. */
export function installedVersion(name: string, folder = ROOT): string {
  const text = readFileSync(`${folder}/node_modules/${name}/package.json`, 'utf8');
  return `${name} ${manifest.parse(JSON.parse(text)).version}`;
}

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

/** By what the processes are called in the report. */
export type CpuSeconds = Readonly<Record<string, number>>;
export type Processes = Readonly<Record<string, { readonly pid?: number | undefined }>>;

/** What `work` came to, and the CPU time that each process took meanwhile. */
export async function metered<T>(
  processes: Processes,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpu: CpuSeconds }> {
  const read = ([name, { pid }]: [string, { readonly pid?: number | undefined }]) =>
    [name, pid === undefined ? 0 : cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))] as const;
  const before = Object.fromEntries(Object.entries(processes).map(read));
  const result = await work();
  const after = Object.entries(processes).map(read);
  const cpu = Object.fromEntries(after.map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));
  return { result, cpu };
}

/** Resident memory that is a process's own, in bytes: the pages of program files are read when they are first run. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kilobytes === undefined) throw new RangeError(`process ${pid} has no memory`);
  return Number(kilobytes) * 1_024;
}

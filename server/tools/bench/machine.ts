import { cpus, loadavg, release, totalmem } from 'node:os';

const BYTES_PER_GIB = 1_024 ** 3;

/** The machine in one line: figures mean little without it. */
export function machine(): string {
  const all = cpus();
  const memory = `${Math.round(totalmem() / BYTES_PER_GIB)} GiB`;
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${memory}, ${process.platform} ${release()}`;
}

/** Processes that wanted a core during the last minute: with more than a few of others', figures are not to be trusted. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

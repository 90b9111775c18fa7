import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes } from '../cpu-time.ts';

/** For what just happened to be answered, closed and forgotten. */
const QUIET_MS = 2_000;
/** A collection of everything takes a tenth of it. */
const COLLECTING_MS = 1_000;

/** Settings that a process is to be started with for `residentAtRest`. */
export const MEMORY_IS_MEASURED = {
  NODE_OPTIONS: `--expose-gc --import ${new URL('collect-on-signal.ts', import.meta.url).href}`,
};

/**
 * Resident bytes of a process without its garbage, and without what it keeps to make garbage in: new objects have up to
 * 128 MiB in Node, many times what 15,000 sockets need, and how much of it was touched is chance.
 */
export async function residentAtRest(pid: number): Promise<number> {
  await pause(QUIET_MS);
  process.kill(pid, 'SIGUSR2');
  await pause(COLLECTING_MS);
  return residentBytes(pid);
}

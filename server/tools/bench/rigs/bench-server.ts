import { setTimeout as pause } from 'node:timers/promises';
import type { BenchContext } from '../benchmark.ts';
import { residentBytes } from '../surroundings.ts';
import { ServerProcess, type Settings } from '../../tasks/server-process.ts';

/** For what just happened to be answered, closed and forgotten. */
const QUIET_MS = 2_000;
/** A collection of everything takes a tenth of it. */
const COLLECTING_MS = 1_000;

/** Signs the buyers' sessions, so that a driver can make as many as it needs without asking. */
export const SESSION_SECRET = 'a secret of nobody and for benchmarks only';

/** The server as it is run in production, on settings of the benchmark's own. */
export interface BenchServer {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<unknown>;
}

let lastNumber = 0;

/**
 * Resolves when it serves; it is ended afterwards at the latest.
 * @param settings all that it is told besides port, secret and where its crowd comes from
 * @throws TaskError with what it printed if it doesn't start
 */
export async function startServer(context: BenchContext, settings: Settings): Promise<BenchServer> {
  const own = { PORT: '0', HOST: '127.0.0.1', SESSION_SECRET, DEMO: 'off', LOG_LEVEL: 'warn' };
  const limits = { UNLIMITED_ADDRESSES: '127.0.0.0/8' };
  const nodeArgs = profiling(context, settings['ROLES'] ?? 'server');
  const server = new ServerProcess({ ...own, ...limits, ...settings }, { nodeArgs });
  context.afterwards(() => server.stop());
  return { pid: server.pid, port: await server.serving(), stop: () => server.stop() };
}

function profiling({ profile, name }: BenchContext, roles: string): readonly string[] {
  if (profile === null) return [];
  const file = `${name}-${roles.replaceAll(',', '-')}-${++lastNumber}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${file}`];
}

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

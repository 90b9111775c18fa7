import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bareEnvironment, ROOT } from '../../checks/child-process.ts';
import { type BenchContext } from '../benchmark.ts';
import { residentBytes } from '../surroundings.ts';
import { TaskError } from '../../tasks/task.ts';

const MAIN = join(ROOT, 'server', 'src', 'main.ts');
const STARTS_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 15_000;
const OUTPUT_KEPT = 4_000;
const READY = /localhost:(\d+)|health on port (\d+)/;
/** For what just happened to be answered, closed and forgotten. */
const QUIET_MS = 2_000;
/** A collection of everything takes a tenth of it. */
const COLLECTING_MS = 1_000;

/** Signs the buyers' sessions, so that a driver can make as many as it needs without asking. */
export const SESSION_SECRET = 'a secret of nobody and for benchmarks only';

/** The server as it is run in production, on settings of the benchmark's own. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

let lastNumber = 0;

/**
 * Resolves when it serves; it is ended afterwards at the latest.
 * @param settings all that it is told besides port, secret and where its crowd comes from
 * @throws TaskError with what it printed if it doesn't start
 */
export async function startServer(
  context: BenchContext,
  settings: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const own = { PORT: '0', HOST: '127.0.0.1', SESSION_SECRET, DEMO: 'off', LOG_LEVEL: 'warn' };
  const limits = { UNLIMITED_ADDRESSES: '127.0.0.0/8' };
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...profiling(context, settings['ROLES'] ?? 'server'), MAIN],
    { env: bareEnvironment({ ...own, ...limits, ...settings }), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const stop = () => endServer(child);
  context.afterwards(stop);
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
    const [, gateway, other] = READY.exec(output) ?? [];
    if (gateway ?? other) resolve(Number(gateway ?? other));
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const failed = (): void => reject(new TaskError(`The server did not start: ${output.trim()}`));
  child.once('exit', failed);
  const timer = setTimeout(failed, STARTS_WITHIN_MS);
  const port = await promise.finally(() => clearTimeout(timer));
  return { pid: child.pid ?? 0, port, stop };
}

function profiling({ profile, name }: BenchContext, roles: string): readonly string[] {
  if (profile === null) return [];
  const file = `${name}-${roles.replaceAll(',', '-')}-${++lastNumber}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${file}`];
}

async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  await ended;
  clearTimeout(timer);
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

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../checks/child-process.ts';
import { BenchError } from '../bench-error.ts';
import type { BenchContext } from '../benchmark.ts';
import { openFilesMax } from '../../crowd/sockets.ts';

const MAIN = join(ROOT, 'server', 'src', 'main.ts');
const STARTS_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 15_000;
const OUTPUT_KEPT = 4_000;
const READY = /localhost:(\d+)|health on port (\d+)/;
/** Files a process has open besides its sockets, generously. */
const OTHER_FILES = 300;

let profileFolder: string | null = null;

/** From now on every server writes a CPU profile into this folder when it ends. */
export function profileServers(folder: string): void {
  profileFolder = folder;
}

/** Signs the buyers' sessions, so that a driver can make as many as it needs without asking. */
export const SESSION_SECRET = 'a secret of nobody, for benchmarks only';

/** @throws BenchError where a process may not have so many sockets open */
export function requireSockets(count: number): void {
  const max = openFilesMax();
  if (max === null || count + OTHER_FILES <= max) return;
  throw new BenchError(
    `${count} sockets are needed, and a process may have ${max} files open: raise the limit (ulimit -n) to ` +
      `${count + OTHER_FILES} or more.`,
  );
}

/** A folder for a server's data, deleted afterwards. */
export async function dataFolder(context: BenchContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stampede-bench-'));
  context.afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The server as it is run in production, on settings of the benchmark's own. */
export class ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, pid: number, port: number) {
    this.#child = child;
    this.pid = pid;
    this.port = port;
  }

  /**
   * Resolves when it serves.
   * @param settings all that it is told besides port, secret and where its crowd comes from
   * @throws BenchError with what it printed if it doesn't start
   */
  static async start(settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const { PATH = '', HOME = '' } = process.env;
    const own = { PORT: '0', HOST: '127.0.0.1', SESSION_SECRET, DEMO: 'off', LOG_LEVEL: 'warn' };
    const limits = { UNLIMITED_ADDRESSES: '127.0.0.0/8' };
    const profiling = profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    const child = spawn(process.execPath, [...profiling, '--disable-warning=ExperimentalWarning', MAIN], {
      env: { PATH, HOME, ...own, ...limits, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
      const [, gateway, other] = READY.exec(output) ?? [];
      if (gateway ?? other) resolve(Number(gateway ?? other));
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const failed = (): void => reject(new BenchError(`The server did not start: ${output.trim()}`));
    child.once('exit', failed);
    const timer = setTimeout(failed, STARTS_WITHIN_MS);
    try {
      return new ServerProcess(child, child.pid ?? 0, await promise);
    } catch (cause) {
      child.kill('SIGKILL');
      throw cause;
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }
}

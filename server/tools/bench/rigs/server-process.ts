import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../checks/child-process.ts';
import { BenchError } from '../bench-error.ts';
import type { BenchContext } from '../benchmark.ts';
import { openFilesMax } from '../../../src/platform/open-files.ts';

const MAIN = join(ROOT, 'server', 'src', 'main.ts');
const STARTS_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 15_000;
const OUTPUT_KEPT = 4_000;
const READY = /localhost:(\d+)|health on port (\d+)/;
const INSPECTOR = /Debugger listening on (ws:\S+)/;
/** Files a process has open besides its sockets, generously. */
const OTHER_FILES = 300;

/** Signs the buyers' sessions, so that a driver can make as many as it needs without asking. */
export const SESSION_SECRET = 'a secret of nobody and for benchmarks only';

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
  readonly #inspectorUrl: string | undefined;

  private constructor(child: ChildProcess, port: number, inspectorUrl: string | undefined) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.port = port;
    this.#inspectorUrl = inspectorUrl;
  }

  /**
   * Resolves when it serves; it is ended afterwards.
   * @param settings all that it is told besides port, secret and where its crowd comes from
   * @throws BenchError with what it printed if it doesn't start
   */
  static async start(
    context: BenchContext,
    settings: Readonly<Record<string, string>>,
  ): Promise<ServerProcess> {
    const { PATH = '', HOME = '' } = process.env;
    const own = { PORT: '0', HOST: '127.0.0.1', SESSION_SECRET, DEMO: 'off', LOG_LEVEL: 'warn' };
    const limits = { UNLIMITED_ADDRESSES: '127.0.0.0/8' };
    const nodeOptions = ['--disable-warning=ExperimentalWarning', ...(context.observer?.nodeOptions ?? [])];
    const child = spawn(process.execPath, [...nodeOptions, MAIN], {
      env: { PATH, HOME, ...own, ...limits, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let inspectorUrl: string | undefined;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
      inspectorUrl ??= INSPECTOR.exec(output)?.[1];
      const [, gateway, other] = READY.exec(output) ?? [];
      if (gateway ?? other) resolve(Number(gateway ?? other));
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const failed = (): void => reject(new BenchError(`The server did not start: ${output.trim()}`));
    child.once('exit', failed);
    const timer = setTimeout(failed, STARTS_WITHIN_MS);
    try {
      const server = new ServerProcess(child, await promise, inspectorUrl);
      context.afterwards(() => server.stop());
      return server;
    } catch (cause) {
      child.kill('SIGKILL');
      throw cause;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Where Node's inspector listens, if the observer asked for it. */
  get inspectorUrl(): string {
    if (this.#inspectorUrl === undefined) throw new BenchError('A server runs without its inspector.');
    return this.#inspectorUrl;
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

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bareEnvironment, ROOT } from '../checks/child-process.ts';
import { TaskError } from './task.ts';

const MAIN = join(ROOT, 'server', 'src', 'main.ts');
/** Starting opens a database and makes shows; on a machine that is busy with other things it takes its time. */
const SERVES_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 15_000;
const SERVES = /Stampede is selling: http:\/\/localhost:(\d+)|its health on port (\d+)/;

export type Settings = Readonly<Record<string, string>>;

export interface Ended {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly output: string;
}

export interface ServerProcessOptions {
  /** What Node itself is told. */
  readonly nodeArgs?: readonly string[];
  readonly openFilesMax?: number;
}

/** The server as its operator runs it: a process of its own, which can be asked to stop and can be killed. */
export class ServerProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #output = '';
  #errorOutput = '';

  /** `settings` are all that it is told; nothing of this process' own settings reaches it. */
  constructor(settings: Settings, { nodeArgs = [], openFilesMax }: ServerProcessOptions = {}) {
    const program = [process.execPath, '--disable-warning=ExperimentalWarning', ...nodeArgs, MAIN];
    const limited = ['sh', '-c', `ulimit -n ${openFilesMax ?? 0} && exec "$0" "$@"`, ...program];
    const [command = '', ...args] = openFilesMax === undefined ? program : limited;
    const child = spawn(command, args, {
      env: bareEnvironment(settings),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
      this.#errorOutput += chunk.toString();
    });
    this.ended = once(child, 'close').then(() => ({ code: child.exitCode, output: this.#output }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All that it has printed so far, on both streams. */
  get output(): string {
    return this.#output;
  }

  get errorOutput(): string {
    return this.#errorOutput;
  }

  /**
   * Resolves with its port when it serves.
   * @throws TaskError with what it printed if it ends or takes too long
   */
  async serving(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const look = (): void => {
      const [, gateway, other] = SERVES.exec(this.#output) ?? [];
      if (gateway ?? other) resolve(Number(gateway ?? other));
    };
    const fail = (): void => reject(new TaskError(`The server did not start: ${this.#output.trim()}`));
    const timer = setTimeout(fail, SERVES_WITHIN_MS);
    this.#child.stdout?.on('data', look);
    void this.ended.then(fail);
    look();
    return promise.finally(() => clearTimeout(timer));
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to stop, as an operator does; past 15 s it is killed. */
  stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ENDS_WITHIN_MS);
    return this.ended.finally(() => clearTimeout(timer));
  }
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { BenchContext } from '../benchmark.ts';
import { TaskError } from '../../tasks/task.ts';

const ENDS_WITHIN_MS = 5_000;

/** In the child: answers the calls of the process that started it, and ends with it. */
export function serveCalls(functions: object): void {
  createBirpc(functions, {
    post: (data) => void process.send?.(data),
    on: (listener) => void process.on('message', listener),
  });
  process.on('disconnect', () => process.exit(0));
  // A terminal's Ctrl-C reaches the whole group; this process ends when its starter lets go of it.
  process.on('SIGINT', () => undefined);
}

/** In the parent: a child process, and what it does for us. */
export interface Child<Functions extends object> {
  readonly pid: number;
  /** Rejects with what the child said if it failed, or if it ended. */
  readonly calls: BirpcReturn<Functions>;
  end(): Promise<void>;
}

/**
 * Starts a child process; it is ended afterwards at the latest.
 * @param file the child's module, which calls `serveCalls`
 */
export function startChild<Functions extends object>(
  context: BenchContext,
  name: string,
  file: URL,
  environment: Readonly<Record<string, string>> = {},
): Child<Functions> {
  const child = fork(file, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...environment },
    // Errors come through whole.
    serialization: 'advanced',
  });
  const calls = createBirpc<Functions>(
    {},
    {
      post: (data: object) => void child.send(data),
      on: (listener) => void child.on('message', listener),
      // How long a measurement takes is its own affair.
      timeout: -1,
    },
  );
  child.once('exit', (code, signal) => {
    calls.$close(new TaskError(`The ${name} ended: ${signal ?? `exit code ${code}`}.`));
  });
  child.once('error', (cause) => calls.$close(cause));
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  };
  context.afterwards(end);
  return { pid: child.pid ?? 0, calls, end };
}

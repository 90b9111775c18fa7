import { type ChildProcess, spawn } from 'node:child_process';

/** Ends when the pipe to its owner closes, which the kernel does for an owner of any death. */
const KILL_WITH_OWNER = 'read -r _; kill -9 "$0"';
/** Like a shell's: for a program that could not be started, or that a signal ended. */
const EXIT_NOT_FOUND = 127;
const EXIT_BY_SIGNAL = 128;

export interface RunResult {
  readonly code: number;
  /** Everything it printed, both streams in the order they came. */
  readonly output: string;
}

/** A program that only tells about itself is quick, even on a busy machine. */
const QUESTION_WITHIN_MS = 30_000;

export interface RunOptions {
  /** 30 s when absent. */
  readonly withinMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Sees to it that processes die with this one, even if it is killed.
 * @param target a process id, or that of a group with a minus before it
 * @returns to be killed itself as soon as the target has ended
 */
export function guardAgainstOrphan(target: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', KILL_WITH_OWNER, String(target)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return guard;
}

/**
 * Runs a program and whatever it starts to their end, which comes after `withinMs` or with our own at the latest.
 * Never throws: a program that can't be started is one that failed.
 */
export function runGuarded(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const withinMs = options.withinMs ?? QUESTION_WITHIN_MS;
  const { promise, resolve } = Promise.withResolvers<RunResult>();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  const guard = pid === undefined ? undefined : guardAgainstOrphan(-pid);
  const timer = setTimeout(() => {
    output += `\nIt took longer than ${withinMs / 1000} s.`;
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }, withinMs);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  const finish = (code: number): void => {
    clearTimeout(timer);
    guard?.kill('SIGKILL');
    resolve({ code, output });
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', (error) => {
    output += error.message;
    finish(EXIT_NOT_FOUND);
  });
  child.once('close', (code) => finish(code ?? EXIT_BY_SIGNAL));
  return promise;
}

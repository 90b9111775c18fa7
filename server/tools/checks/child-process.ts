import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout's folder, without a trailing slash. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');

export interface ChildResult {
  /** The exit code; 128 or more when a signal ended it. */
  readonly code: number;
  /** Everything it printed, both streams in the order they came; empty when it printed to our own streams. */
  readonly output: string;
  readonly seconds: number;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** `show` lets it print as it goes; `keep` collects what it prints. */
  readonly output: 'show' | 'keep';
  /** It and whatever it started are killed after so long, and with us at the latest. */
  readonly withinMs?: number;
}

/** A child that could not even be started counts as one that failed with this code, like a shell's. */
const EXIT_NOT_FOUND = 127;
const EXIT_BY_SIGNAL = 128;
/** Ends when the pipe to its owner closes, which the kernel does for an owner of any death. */
const KILL_WITH_OWNER = 'read -r _; kill -9 "$0"';
/** A program that only tells about itself is quick, even on a busy machine. */
const QUESTION_WITHIN_MS = 30_000;

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

/** Runs a program to its end. Never throws: a program that can't be started is a failed one. */
export function runChild(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env = process.env, output: printing, withinMs }: ChildOptions,
): Promise<ChildResult> {
  const startedMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<ChildResult>();
  const child = spawn(command, args, {
    cwd,
    env,
    // In a group of its own it can be ended with all that it started.
    detached: withinMs !== undefined,
    stdio: printing === 'show' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const group = withinMs === undefined || child.pid === undefined ? null : -child.pid;
  const guard = group === null ? null : guardAgainstOrphan(group);
  const timer =
    group === null
      ? undefined
      : setTimeout(() => {
          output += `\nIt took longer than ${(withinMs ?? 0) / 1000} s.`;
          process.kill(group, 'SIGKILL');
        }, withinMs);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const finish = (code: number): void => {
    clearTimeout(timer);
    guard?.kill('SIGKILL');
    resolve({ code, output, seconds: (performance.now() - startedMs) / 1000 });
  };
  child.once('error', (error) => {
    output += error.message;
    finish(EXIT_NOT_FOUND);
  });
  child.once('close', (code) => finish(code ?? EXIT_BY_SIGNAL));
  return promise;
}

/** Runs a program whose words count: it ends after 30 s unless told otherwise, and with us at the latest. */
export function runGuarded(
  command: string,
  args: readonly string[],
  options: Omit<ChildOptions, 'output'> = {},
): Promise<ChildResult> {
  return runChild(command, args, { withinMs: QUESTION_WITHIN_MS, ...options, output: 'keep' });
}

/**
 * The surroundings of a child that is told nothing of this process' own settings but `settings`. Compiled code is kept
 * where the launcher says, so that the many servers of a test run don't each compile the same files.
 */
export function bareEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...settings };
}

/** Runs the command-line file of an installed package on the Node that runs this task. */
export function runTool(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  return runChild(process.execPath, [`${ROOT}/node_modules/${file}`, ...args], options);
}

import { spawn } from 'node:child_process';
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
}

/** A child that could not even be started counts as one that failed with this code, like a shell's. */
const EXIT_NOT_FOUND = 127;
const EXIT_BY_SIGNAL = 128;

/** Runs a program to its end. Never throws: a program that can't be started is a failed one. */
export function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildResult> {
  const startedMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<ChildResult>();
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    stdio: options.output === 'show' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const finish = (code: number): void =>
    resolve({ code, output, seconds: (performance.now() - startedMs) / 1000 });
  child.once('error', (error) => {
    output += error.message;
    finish(EXIT_NOT_FOUND);
  });
  child.once('close', (code) => finish(code ?? EXIT_BY_SIGNAL));
  return promise;
}

/** Runs the command-line file of an installed package on the Node that runs this task. */
export function runTool(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  return runChild(process.execPath, [`${ROOT}/node_modules/${file}`, ...args], options);
}

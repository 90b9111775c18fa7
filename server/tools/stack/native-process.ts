import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { guardAgainstOrphan } from '../checks/child-process.ts';
import { waitUntil } from './wait-until.ts';

/** Of Linux's flags of a process. */
const FLAG_KERNEL_THREAD = 0x200000;
/** Where `/proc/…/stat` has them, counted after the program's name, which may hold anything. */
const STAT_STATE = 0;
const STAT_FLAGS = 6;
const STAT_THREADS = 17;

/** Whether a process of this number lives, whoever's it is. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Whether the process of this number is the one started with `mark` in its command line, rather than another that
 * got its number. True until its files and ports are free for the next.
 */
export function isProcessMarked(pid: number, mark: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
    }).stdout.includes(mark);
  }
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return commandLine === '' ? isBetweenLives(pid) : commandLine.includes(mark);
  } catch {
    return false;
  }
}

/**
 * Without a command line a process is either becoming another program, or giving up its memory before its files; a
 * record of its end, which may stay for long, has nothing left. The kernel's own threads never had one.
 */
function isBetweenLives(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isRecordOnly = fields[STAT_STATE] === 'Z' && fields[STAT_THREADS] === '1';
  const isKernelThread = (Number(fields[STAT_FLAGS]) & FLAG_KERNEL_THREAD) !== 0;
  return !isRecordOnly && !isKernelThread;
}

/** What to run. The command line must name the server's folder: that is how its process is known again. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * How long a server runs: until someone stops it (`machine`), or at the longest as long as the process that
 * started it, however that one ends (`owner`).
 */
export type Lifetime = 'machine' | 'owner';

/**
 * The shell writes its own process id and then becomes the server. So the record exists before the server does,
 * and whoever starts it may be killed at any moment without losing sight of it.
 */
const RECORD_AND_RUN = 'echo $$ > "$0" && exec "$@"';
const KILL_WITHIN_MS = 10_000;
const LOG_LINES_SHOWN = 15;

/** A server's process, recorded in a file of its folder and found again by whoever comes later. */
export class NativeProcess {
  readonly #folder: string;
  readonly #pidFile: string;
  readonly #logFile: string;
  readonly #lifetime: Lifetime;
  #guard: ChildProcess | undefined;

  constructor(folder: string, logFile: string, lifetime: Lifetime) {
    this.#folder = folder;
    this.#pidFile = join(folder, 'pid');
    this.#logFile = logFile;
    this.#lifetime = lifetime;
  }

  /** The process id if the recorded process lives and is this server, not another that got its number. */
  pid(): number | undefined {
    if (!existsSync(this.#pidFile)) return undefined;
    const pid = Number(readFileSync(this.#pidFile, 'utf8'));
    return isProcessMarked(pid, this.#folder) ? pid : undefined;
  }

  isRunning(): boolean {
    return this.pid() !== undefined;
  }

  /** Starts it in the background, its output going to a new log; the log before is kept as `….1`. */
  start({ command, args, env }: Launch): void {
    mkdirSync(dirname(this.#logFile), { recursive: true });
    if (existsSync(this.#logFile)) renameSync(this.#logFile, `${this.#logFile}.1`);
    rmSync(this.#pidFile, { force: true });
    const log = openSync(this.#logFile, 'a');
    const child = spawn('/bin/sh', ['-c', RECORD_AND_RUN, this.#pidFile, command, ...args], {
      cwd: this.#folder,
      env: { ...process.env, ...env },
      // In a group of its own, so that Ctrl-C in the starter's terminal isn't its business.
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    // A shell that couldn't even be started leaves no record, which every caller notices.
    child.once('error', () => undefined);
    child.unref();
    if (this.#lifetime === 'owner' && child.pid !== undefined) this.#guard = guardAgainstOrphan(-child.pid);
  }

  /** Whether the process just started has made its record; false if it couldn't be started at all. */
  isRecorded(withinMs = KILL_WITHIN_MS): Promise<boolean> {
    return waitUntil(() => existsSync(this.#pidFile) && readFileSync(this.#pidFile).length > 0, withinMs, 5);
  }

  /** Asks it to end and, past `withinMs`, kills it. Returns when it is gone. */
  async stop(withinMs: number): Promise<void> {
    this.resume();
    this.#signal('SIGTERM');
    if (!(await waitUntil(() => !this.isRunning(), withinMs))) this.#signal('SIGKILL');
    await this.#afterEnd();
  }

  /** Ends it as a crash would, and returns when it is gone. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#afterEnd();
  }

  /** Stops it in its tracks: it keeps its connections and answers nothing, like a machine that hangs. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /** The end of what it has printed. */
  logTail(): string {
    if (!existsSync(this.#logFile)) return '';
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.pid();
    if (pid === undefined) return;
    try {
      // What ends in order ends its own children; else all are meant, of which it leads the group.
      process.kill(signal === 'SIGTERM' ? pid : -pid, signal);
    } catch (cause) {
      // It may have ended since we looked.
      if (this.isRunning()) throw cause;
    }
  }

  async #afterEnd(): Promise<void> {
    if (!(await waitUntil(() => !this.isRunning(), KILL_WITHIN_MS))) {
      throw new Error(`Process ${this.pid()} of ${this.#folder} doesn't end, not even killed.`);
    }
    rmSync(this.#pidFile, { force: true });
    this.#guard?.kill('SIGKILL');
    this.#guard = undefined;
  }
}

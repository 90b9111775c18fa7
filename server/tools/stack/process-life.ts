import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

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

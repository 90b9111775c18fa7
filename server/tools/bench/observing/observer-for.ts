import type { Observer } from './observer.ts';
import { ProfilingObserver } from './profiling-observer.ts';
import { SyscallObserver } from './syscall-observer.ts';

/** What is wanted beside the figures; one at a time, because strace slows what a profile would show. */
export interface Wanted {
  readonly kind: 'profile' | 'syscalls';
  /** Where what is seen is kept. */
  readonly folder: string;
}

/**
 * @param benchmark what the names of the files begin with
 * @throws BenchError where a program for it is missing
 */
export function observerFor({ kind, folder }: Wanted, benchmark: string): Observer {
  return kind === 'profile'
    ? new ProfilingObserver(folder, benchmark)
    : new SyscallObserver(folder, benchmark);
}

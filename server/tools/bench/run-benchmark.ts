import { StackError } from '../stack/stack-error.ts';
import { BenchError } from './bench-error.ts';
import type { Benchmark, BenchContext, Findings } from './benchmark.ts';

export type RunOptions = Omit<BenchContext, 'afterwards'>;

/**
 * Measures, then ends everything that was started for it, the last first, whatever happened.
 * @throws BenchError where a part is missing or the machine can't carry the load
 */
export async function runBenchmark(benchmark: Benchmark, options: RunOptions): Promise<Findings> {
  const ends: (() => unknown)[] = [];
  try {
    return await benchmark.measure({ ...options, afterwards: (end) => void ends.push(end) });
  } catch (cause) {
    if (cause instanceof StackError) throw new BenchError(`${benchmark.name}: ${cause.message}`, { cause });
    throw cause;
  } finally {
    await options.observer?.release();
    for (const end of ends.reverse()) await end();
  }
}

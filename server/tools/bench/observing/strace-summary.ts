/** A system call, and what strace counted of it. */
export interface SystemCall {
  readonly name: string;
  readonly calls: number;
  readonly errors: number;
}

/**
 * Share of time, seconds, microseconds a call, calls, errors (blank for none), name. The times are left alone: of a
 * process with several threads strace adds to a call that waits what the others did meanwhile.
 */
const LINE = /^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:(\d+) +)?(\w+)$/;
const TOTAL = 'total';

/**
 * Reads the table that `strace -c` prints.
 * @throws RangeError if it is no such table
 */
export function readSummary(text: string): readonly SystemCall[] {
  const all = text.split('\n').flatMap((line) => {
    const [, calls, errors = '0', name] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ name, calls: Number(calls), errors: Number(errors) }];
  });
  if (text.trim() !== '' && all.at(-1)?.name !== TOTAL) throw new RangeError(`no summary of strace: ${text}`);
  return all.filter(({ name }) => name !== TOTAL);
}

/** Adds up several summaries; the most frequent call comes first. */
export function sumOf(summaries: readonly (readonly SystemCall[])[]): readonly SystemCall[] {
  const sums = new Map<string, SystemCall>();
  for (const one of summaries.flat()) {
    const { calls = 0, errors = 0 } = sums.get(one.name) ?? {};
    sums.set(one.name, { name: one.name, calls: calls + one.calls, errors: errors + one.errors });
  }
  return [...sums.values()].toSorted((a, b) => b.calls - a.calls);
}

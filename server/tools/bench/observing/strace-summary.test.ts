import { describe, expect, test } from 'vitest';
import { readSummary, sumOf } from './strace-summary.ts';

const SUMMARY = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 87.10    0.054000          54      1000           send
 12.90    0.008000           4      2000        12 epoll_pwait
------ ----------- ----------- --------- --------- ----------------
100.00    0.062000          20      3000        12 total
`;

describe('what strace counts', () => {
  test('is read from its table, a blank number of errors being none', () => {
    expect(readSummary(SUMMARY)).toEqual([
      { name: 'send', calls: 1_000, errors: 0 },
      { name: 'epoll_pwait', calls: 2_000, errors: 12 },
    ]);
  });

  test('is nothing where nothing was called', () => {
    expect(readSummary('')).toEqual([]);
  });

  test('[P7] something else, or a table that breaks off, is an error', () => {
    expect(() => readSummary('strace: attach: Operation not permitted')).toThrow(RangeError);
    expect(() => readSummary(SUMMARY.split('\n').slice(0, 4).join('\n'))).toThrow(RangeError);
  });

  test('adds up over windows, the most frequent first', () => {
    const again = { name: 'send', calls: 1_500, errors: 1 };
    expect(sumOf([readSummary(SUMMARY), [again]])).toEqual([
      { name: 'send', calls: 2_500, errors: 1 },
      { name: 'epoll_pwait', calls: 2_000, errors: 12 },
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { cpuSecondsOf, metered, residentBytes } from './surroundings.ts';

const STAT = '4711 (redis) server ) R 1 4711 4711 0 -1 4194560 5000 0 3 0 1234 66 7 8 20 0 5 0 100 0 0';

describe('CPU time', () => {
  test('is what the process and the kernel for it used, whatever the name of the program', () => {
    expect(cpuSecondsOf(STAT)).toBe(13);
  });

  test('of another text is an error, not a figure', () => {
    expect(() => cpuSecondsOf('nothing')).toThrow(RangeError);
  });

  test.runIf(process.platform === 'linux')('is counted while the work goes on', async () => {
    const { result, cpu } = await metered({ self: process, absent: {} }, async () => {
      const until = process.cpuUsage().user + 30_000;
      while (process.cpuUsage().user < until) Math.sqrt(until);
      return 'done';
    });
    expect(result).toBe('done');
    expect(cpu['self']).toBeGreaterThan(0);
    expect(cpu['absent']).toBe(0);
    expect(residentBytes(process.pid)).toBeGreaterThan(1_000_000);
  });
});

import { expect, it } from 'vitest';
import { withPartProgress } from './stack-task.ts';

const withoutTimes = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.replace(/[\d.]+ s/, '_ s').replace(/ +/, ' '));

it('tells each step and the end of it', async () => {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const result = await withPartProgress('redis', print, async (report) => {
    report('starting');
    return { result: 6379, said: 'Redis 7 runs' };
  });
  expect(result).toBe(6379);
  expect(withoutTimes(lines)).toEqual(['redis starting …', 'redis Redis 7 runs (_ s)']);
});

it('says so when a step fails, passes the failure on and falls silent', async () => {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const failing = withPartProgress('kafka', print, async () => Promise.reject(new Error('no Java')));
  await expect(failing).rejects.toThrow('no Java');
  expect(withoutTimes(lines)).toEqual(['kafka failed (_ s)']);
  expect(process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout')).toHaveLength(timers);
});

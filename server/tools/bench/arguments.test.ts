import { describe, expect, test } from 'vitest';
import { isTrial, readArguments, usage } from './arguments.ts';
import { TaskError } from '../tasks/task.ts';

const NAMES = ['hold', 'bytes'];
const read = (line: string) => readArguments(line.split(' ').filter(Boolean), NAMES);

describe('what npm run bench is told', () => {
  test('five runs of the full load unless told otherwise', () => {
    expect(read('hold')).toEqual({ names: ['hold'], json: false, runs: 5, size: 1, profile: null });
    expect(read('all --json --runs 3 --size 0.1 --profile out')).toEqual({
      names: NAMES,
      json: true,
      runs: 3,
      size: 0.1,
      profile: 'out',
    });
  });

  test('several follow one another, and only full loads without a profile count', () => {
    expect(read('bytes hold')?.names).toEqual(['bytes', 'hold']);
    const trials = ['hold', 'hold --size 0.5', 'hold --profile out'].map((line) => isTrial(read(line)!));
    expect(trials).toEqual([false, true, true]);
  });

  test.each([
    ['', 'Which benchmark? There are: hold, bytes, all.'],
    ['fly', 'There is no benchmark "fly". There are: hold, bytes, all.'],
    ['hold fly', 'There is no benchmark "fly".'],
    ['hold --runs 0', '--runs: "0" can\'t be used; allowed: a whole number, 1 to 99.'],
    ['hold --runs 2.5', '--runs: "2.5" can\'t be used; allowed: a whole number'],
    ['hold --runs many', '--runs: "many"'],
    ['hold --size 2', '--size: "2"'],
    ['hold --fast', '--fast'],
  ])('[P7] %j is refused by one line that says why', (line, message) => {
    expect(() => read(line)).toThrow(TaskError);
    expect(() => read(line)).toThrow(message);
  });

  test('help lists every benchmark', () => {
    expect(read('--help')).toBeNull();
    expect(usage(NAMES)).toContain('hold, bytes, all');
  });
});

import { describe, expect, test } from 'vitest';
import { readStartArguments } from './start-arguments.ts';
import { TaskError } from '../tasks/task.ts';

describe('arguments of npm start', () => {
  test('nothing means one process on the embedded defaults', () => {
    expect(readStartArguments([])).toEqual({ stack: false, gateways: 1, nginx: false });
    const several = { stack: true, gateways: 3, nginx: false };
    expect(readStartArguments(['--stack', '--gateways', '3'])).toEqual(several);
    expect(readStartArguments(['--stack', '--gateways', '3', '--nginx'])).toEqual({
      ...several,
      nginx: true,
    });
  });

  test.each([
    [['--gateways', '2']],
    [['--nginx']],
    [['--stack', '--gateways', 'two']],
    [['--stack', '--gateways', '0']],
    [['--stak']],
  ])('%j is refused with the usage', (args) => {
    expect(() => readStartArguments(args)).toThrow(TaskError);
    expect(() => readStartArguments(args)).toThrow('npm start --');
  });
});

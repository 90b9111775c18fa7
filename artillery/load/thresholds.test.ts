import { describe, expect, it } from 'vitest';
import { judge, METRIC_NAMES, parseThreshold } from './thresholds.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

const measured = new Map([
  ['stampede.requests', 1_000],
  ['stampede.errors', 4],
  ['stampede.response_ms.p95', 120.5],
  ['vusers.created', 10],
]);
const held = (text: string): boolean => judge(parseThreshold(text), measured).held;
const messageOf = (text: string): string => {
  try {
    parseThreshold(text);
  } catch (error) {
    if (error instanceof TaskError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('a threshold', () => {
  it('compares what was measured', () => {
    expect(held('stampede.response_ms.p95 < 300')).toBe(true);
    expect(held('stampede.response_ms.p95 < 120.5')).toBe(false);
    expect(held('stampede.response_ms.p95 <= 120.5')).toBe(true);
    expect(held('stampede.errors != 4')).toBe(false);
    expect(held('2 * 10 == vusers.created * 2')).toBe(true);
  });

  it('multiplies and divides from left to right', () => {
    expect(held('stampede.errors / stampede.requests * 100 == 0.4')).toBe(true);
    expect(held('40 / 4 / 5 == 2')).toBe(true);
  });

  it('tells the value it was judged by', () => {
    expect(judge(parseThreshold('stampede.errors / stampede.requests * 100 < 0.5', false), measured)).toEqual(
      {
        text: 'stampede.errors / stampede.requests * 100 < 0.5',
        held: true,
        value: 0.4,
        isStrict: false,
      },
    );
  });

  it('does not hold where its metric was not measured', () => {
    expect(judge(parseThreshold('stampede.resume_ms.p95 < 9999'), measured)).toMatchObject({
      held: false,
      value: null,
    });
  });

  it.each([
    ['', 'it has none of <= >='],
    ['stampede.errors', 'it has none of <= >='],
    ['stampede.errors = 1', 'it has none of <= >='],
    ['stampede.errors <', '"" is neither a number nor a metric that is measured'],
    ['stampede.errors < 1 1', '"1 1" is neither a number nor a metric that is measured'],
    ['stampede.errors < 1 < 2', '"1 < 2" is neither a number nor a metric that is measured'],
    ['(stampede.errors < 1', '"(stampede.errors" is neither a number nor a metric that is measured'],
    ['stampede.errors + 1 < 2', '"stampede.errors + 1" is neither a number nor a metric that is measured'],
    ['stampede.erors < 1', '"stampede.erors" is neither a number nor a metric that is measured'],
    [
      'stampede.hold_ms.p999 < 1',
      '"stampede.hold_ms.p999" is neither a number nor a metric that is measured',
    ],
  ])('%j is refused: %s', (text, why) => {
    expect(messageOf(text)).toContain(`threshold ${JSON.stringify(text)}: ${why}`);
  });

  it('no name of a metric is part of another, because Artillery replaces them as text', () => {
    const names = [...METRIC_NAMES];
    const parts = names.flatMap((name) =>
      names.filter((other) => other !== name && other.includes(name)).map((other) => `${name} in ${other}`),
    );
    expect(parts).toEqual([]);
  });
});

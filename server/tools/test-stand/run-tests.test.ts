import { expect, it } from 'vitest';
import { countTests } from './run-tests.ts';

const report = (counts: Partial<Parameters<typeof countTests>[0] & object>) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...counts,
});

it('counts what passed and what failed', () => {
  expect(countTests(report({ numPassedTests: 7, numFailedTests: 2 }), 1)).toEqual({ passed: 7, failed: 2 });
});

it('counts a skipped test and a test still to be written as failed', () => {
  const counts = { numPassedTests: 7, numPendingTests: 1, numTodoTests: 1 };
  expect(countTests(report(counts), 0)).toEqual({ passed: 7, failed: 2 });
});

it('counts a file that could not be loaded as one failure', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'passed', assertionResults: [{}] },
  ];
  expect(countTests(report({ numPassedTests: 1, testResults }), 1)).toEqual({ passed: 1, failed: 1 });
});

it('is not content with a run that executed nothing, ended badly or left no report', () => {
  expect(countTests(report({}), 0)).toEqual({ passed: 0, failed: 1 });
  expect(countTests(report({ numPassedTests: 7 }), 1)).toEqual({ passed: 7, failed: 1 });
  expect(countTests(undefined, 1)).toEqual({ passed: 0, failed: 1 });
});

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { ROOT, runTool } from '../checks/child-process.ts';

const VITEST = 'vitest/vitest.mjs';
const RESULTS = `${ROOT}/node_modules/.cache/stampede/test-results.json`;

export interface TestCount {
  readonly passed: number;
  readonly failed: number;
}

/** The part of vitest's JSON report that is counted here. */
interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/**
 * Counts strictly: a skipped test failed, a file that couldn't be loaded is one failure, and so is a run that
 * executed nothing or ended badly although every test passed (an unhandled error, a worker that died).
 *
 * @param report what vitest wrote, or undefined when it wrote nothing
 * @param exitCode vitest's own
 */
export function countTests(report: TestReport | undefined, exitCode: number): TestCount {
  if (!report) return { passed: 0, failed: 1 };
  const passed = report.numPassedTests;
  const unloadable = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + report.numPendingTests + report.numTodoTests + unloadable;
  const endedBadly = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: endedBadly ? 1 : failed };
}

/**
 * Runs vitest and shows its progress.
 *
 * @param args passed on to vitest: file names, `-t`, `--project`; none means everything
 */
export async function runTests(args: readonly string[]): Promise<TestCount> {
  mkdirSync(dirname(RESULTS), { recursive: true });
  rmSync(RESULTS, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const { code } = await runTool(VITEST, ['run', ...reporters, ...args], { output: 'show' });
  // Written a moment ago by our own child, so its shape is taken as vitest documents it.
  const report = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as TestReport) : undefined;
  return countTests(report, code);
}

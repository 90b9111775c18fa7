/**
 * `npm test`: everything that has to hold, counted in the last line. With arguments (`npm test -- seat-store`) only
 * the tests they select, for the one who is working on them.
 */
import { deriveClientTypes } from './checks/check-steps.ts';
import { ROOT, runChild } from './checks/child-process.ts';
import { buildClient } from './client-build/build-client.ts';
import { provideDebianPackages } from './test-stand/debian-packages.ts';
import { provideServers } from './test-stand/provide-servers.ts';
import { runTests, type TestCount } from './test-stand/run-tests.ts';

const selection = process.argv.slice(2);

/** Runs the checks on what the tests, which often wait, leave of the cores. Resolves with their words and their count. */
async function runChecksAside(): Promise<{ readonly output: string; readonly count: TestCount }> {
  const program = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    `${ROOT}/server/tools/check.ts`,
  ];
  const { output } = await runChild('nice', ['-n', '10', ...program], { output: 'keep' });
  const [, passed = 0, failed = 1] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? [];
  return { output, count: { passed: Number(passed), failed: Number(failed) } };
}

async function runEverything(): Promise<readonly TestCount[]> {
  await provideDebianPackages();
  await provideServers();
  const build = (await buildClient()) === 'failed' ? { passed: 0, failed: 1 } : { passed: 1, failed: 0 };
  const [checks, tests] = await Promise.all([runChecksAside(), runTests([])]);
  console.log(checks.output);
  return [build, checks.count, tests];
}

async function runSelected(): Promise<readonly TestCount[]> {
  // Texts of the client are compiled for the tests that read them, by settings that are derived first.
  await deriveClientTypes();
  return [await runTests(selection)];
}

const counts = await (selection.length > 0 ? runSelected() : runEverything());
const sum = (part: keyof TestCount): number => counts.reduce((total, count) => total + count[part], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;

/**
 * `npm test`: everything that has to hold, counted in the last line. With arguments (`npm test -- seat-store`) only
 * the tests they select, for the one who is working on them.
 */
import { deriveClientTypes } from './checks/check-steps.ts';
import { runChecks } from './checks/run-checks.ts';
import { buildClient } from './client-build/build-client.ts';
import { provideDebianPackages } from './test-stand/debian-packages.ts';
import { provideServers } from './test-stand/provide-servers.ts';
import { runTests, type TestCount } from './test-stand/run-tests.ts';

const selection = process.argv.slice(2);

async function runEverything(): Promise<readonly TestCount[]> {
  await provideDebianPackages();
  await provideServers();
  const checks = await runChecks();
  const build = (await buildClient()) === 'failed' ? { passed: 0, failed: 1 } : { passed: 1, failed: 0 };
  return [checks, build, await runTests([])];
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

/** `npm run check`: formatting, lint, types, architecture and unused code, each named with its result. */
import { runChecks } from './checks/run-checks.ts';

const { passed, failed } = await runChecks();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

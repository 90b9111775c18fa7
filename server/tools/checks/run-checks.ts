import { availableParallelism } from 'node:os';
import { type CheckStep, checkSteps, deriveClientTypes } from './check-steps.ts';

export interface CheckCount {
  readonly passed: number;
  readonly failed: number;
}

/** More than this is the same mistake many times over; the tool itself shows the rest. */
const LINES_SHOWN_MAX = 60;

function printFindings(output: string): void {
  const lines = output.trimEnd().split('\n');
  for (const line of lines.slice(0, LINES_SHOWN_MAX)) console.log(`    ${line}`);
  const unshown = lines.length - LINES_SHOWN_MAX;
  if (unshown > 0) console.log(`    … and ${unshown} lines more`);
}

async function runStep(step: CheckStep): Promise<boolean> {
  const startedMs = performance.now();
  const { passed, output } = await step.run();
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${passed ? '✓' : '✗'} ${step.name} (${seconds} s)`);
  if (!passed) printFindings(output);
  return passed;
}

/** Runs all checks, as many at a time as there are cores, and prints each with its result as it ends. */
export async function runChecks(): Promise<CheckCount> {
  await deriveClientTypes();
  const waiting = [...checkSteps()];
  let passed = 0;
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      if (await runStep(step)) passed += 1;
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return { passed, failed };
}

import { availableParallelism } from 'node:os';
import { type TestProjectConfiguration, defineConfig } from 'vitest/config';

/** A unit test that takes longer waits for something real and belongs in another project. */
const UNIT_TIMEOUT_MS = 10_000;
/** Real stores start within this, and a condition that isn't met by then never is. */
const SERVICE_TIMEOUT_MS = 60_000;
/** A whole buyer's journey in a real browser on a slow machine. */
const JOURNEY_TIMEOUT_MS = 120_000;

const unit = (name: string, include: string): TestProjectConfiguration => ({
  test: { name, include: [include], testTimeout: UNIT_TIMEOUT_MS, sequence: { groupOrder: 0 } },
});

/** Much of their time is waiting for servers, and what they start needs cores as well. */
const SERVICE_FILES_AT_ONCE = availableParallelism();

/**
 * Tests with real services run after the units, in one group, so that no project waits for the slowest file of another.
 * Each file has servers or databases of its own, and awaits conditions instead of counting on the machine's speed.
 */
const service = (name: string, timeoutMs: number): TestProjectConfiguration => ({
  test: {
    name,
    include: [`server/test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    maxWorkers: SERVICE_FILES_AT_ONCE,
    sequence: { groupOrder: 1 },
  },
});

export default defineConfig({
  test: {
    // Starts nothing by itself: the real servers come up when a test file first asks for one.
    globalSetup: ['server/tools/test-stand/shared-servers.ts'],
    projects: [
      unit('shared', 'shared/src/**/*.test.ts'),
      unit('server', 'server/{src,tools}/**/*.test.ts'),
      unit('artillery', 'artillery/**/*.test.ts'),
      'client/vitest.config.ts',
      service('contracts', SERVICE_TIMEOUT_MS),
      service('integration', SERVICE_TIMEOUT_MS),
      service('faults', SERVICE_TIMEOUT_MS),
      service('e2e', JOURNEY_TIMEOUT_MS),
    ],
  },
});

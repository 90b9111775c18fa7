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

/**
 * Tests with real services run after the units. Those of one adapter have servers or databases of their own, and much
 * of their time is waiting: two files at once. The others start whole systems that need the machine to themselves.
 */
const service = (
  name: string,
  groupOrder: number,
  { timeoutMs, filesAtOnce = 1 }: { timeoutMs: number; filesAtOnce?: number },
): TestProjectConfiguration => ({
  test: {
    name,
    include: [`server/test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    maxWorkers: filesAtOnce,
    sequence: { groupOrder },
  },
});

export default defineConfig({
  test: {
    // Starts nothing by itself: the real servers come up when a test file first asks for one.
    globalSetup: ['server/tools/test-stand/shared-servers.ts'],
    projects: [
      unit('shared', 'shared/src/**/*.test.ts'),
      unit('server', 'server/{src,tools}/**/*.test.ts'),
      unit('artillery', 'artillery/engine/**/*.test.ts'),
      'client/vitest.config.ts',
      service('contracts', 1, { timeoutMs: SERVICE_TIMEOUT_MS, filesAtOnce: 2 }),
      service('integration', 2, { timeoutMs: SERVICE_TIMEOUT_MS }),
      service('faults', 3, { timeoutMs: SERVICE_TIMEOUT_MS }),
      service('e2e', 4, { timeoutMs: JOURNEY_TIMEOUT_MS }),
    ],
  },
});

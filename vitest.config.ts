import { availableParallelism } from 'node:os';
import { type TestProjectConfiguration, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A unit test that takes longer, on a machine that also checks the code, waits for something real: it belongs elsewhere. */
const UNIT_TIMEOUT_MS = 30_000;
/** A condition that isn't met by then never is, however busy the machine: vitest alone would give it one second. */
const POLL_TIMEOUT_MS = 45_000;
/** A whole buyer's journey in a real browser on a slow machine, or real stores that start and recover. */
const SERVICE_TIMEOUT_MS = 120_000;

const unit = (name: string, include: string): TestProjectConfiguration => ({
  // Rules without a state of their own: files can share a process, which spares starting one for each.
  test: {
    name,
    include: [include],
    testTimeout: UNIT_TIMEOUT_MS,
    expect: { poll: { timeout: UNIT_TIMEOUT_MS } },
    isolate: false,
    sequence: { groupOrder: 0 },
  },
});

/**
 * Tests with real services run after the units, one file more at once than there are cores: they wait as much as they
 * work. Each file has servers or databases of its own, and awaits conditions instead of counting on the machine's speed.
 */
const services: TestProjectConfiguration = {
  test: {
    name: 'services',
    include: ['server/test/**/*.test.ts'],
    testTimeout: SERVICE_TIMEOUT_MS,
    hookTimeout: SERVICE_TIMEOUT_MS,
    expect: { poll: { timeout: POLL_TIMEOUT_MS } },
    maxWorkers: availableParallelism() + 1,
    isolate: false,
    sequence: { groupOrder: 1 },
  },
};

/** Files that take longest: they begin first, so that nobody waits for one of them at the end. */
const LONGEST = [
  'faults/mixed-faults',
  'integration/crowd-stack',
  'faults/stack/lost-parts',
  'contracts/kafka-troubles',
  'faults/stack/lost-handovers',
  'contracts/sql-server',
  'integration/restart',
  'e2e/',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.includes(`/server/test/${name}`));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig({
  test: {
    // Starts nothing by itself: the real servers come up when a test file first asks for one.
    globalSetup: ['server/tools/test-stand/shared-servers.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      unit('shared', 'shared/src/**/*.test.ts'),
      unit('server', 'server/{src,tools}/**/*.test.ts'),
      unit('artillery', 'artillery/**/*.test.ts'),
      'client/vitest.config.ts',
      services,
    ],
  },
});

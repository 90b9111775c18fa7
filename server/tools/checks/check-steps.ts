import { existsSync } from 'node:fs';
import { type ChildResult, ROOT, runTool } from './child-process.ts';

/** One thing that must hold of the source; `output` says what is wrong when it doesn't. */
export interface CheckStep {
  readonly name: string;
  run(): Promise<Pick<ChildResult, 'output'> & { readonly passed: boolean }>;
}

const CACHE = `${ROOT}/node_modules/.cache`;
const CLIENT = `${ROOT}/client`;
/** Its surroundings are a worker's, so the pages' checker leaves it out. */
const SERVICE_WORKER = `${CLIENT}/src/service-worker`;
const CANARY = `${ROOT}/server/tools/canary`;

const TSC = 'typescript/bin/tsc';
const SVELTE_CHECK = 'svelte-check/bin/svelte-check';

/** What each checker must say of the canary: one line per strictness the project counts on. */
const TSC_MUST_SAY = [
  /type-canary\.ts\(7,.*TS2322/,
  /type-canary\.ts\(8,.*TS2322/,
  /type-canary\.ts\(9,.*TS2375/,
  /type-canary\.ts\(10,.*TS1294/,
];
const SVELTE_CHECK_MUST_SAY = [
  /ERROR "type-canary\.ts" 7:/,
  /ERROR "type-canary\.ts" 8:/,
  /ERROR "type-canary\.ts" 9:/,
  /ERROR "SvelteCanary\.svelte" 3:/,
  /ERROR "SvelteCanary\.svelte" 7:/,
];

const toolIn = (cwd: string, name: string, file: string, ...args: string[]): CheckStep => ({
  name,
  run: async () => {
    const { code, output } = await runTool(file, args, { output: 'keep', cwd });
    return { passed: code === 0, output };
  },
});

const tool = (name: string, file: string, ...args: string[]): CheckStep => toolIn(ROOT, name, file, ...args);

/** Passes only if the checker finds every mistake of the canary. */
const canary = (
  name: string,
  file: string,
  args: readonly string[],
  mustSay: readonly RegExp[],
): CheckStep => ({
  name,
  run: async () => {
    const { output } = await runTool(file, args, { output: 'keep', cwd: CANARY });
    const unsaid = mustSay.filter((pattern) => !pattern.test(output));
    const lines = unsaid.map((pattern) => `It said nothing like ${String(pattern)}.`);
    return { passed: unsaid.length === 0, output: [...lines, output].join('\n') };
  },
});

const hasClient = (): boolean => existsSync(`${CLIENT}/src`);

const clientSteps: readonly CheckStep[] = [
  toolIn(
    CLIENT,
    'types of the client',
    SVELTE_CHECK,
    ...['--tsconfig', './tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  ),
  tool('types of the service worker', TSC, '--noEmit', '-p', SERVICE_WORKER),
];

/** Makes the types that SvelteKit derives from the routes; several checks read them, so this comes before all. */
export async function deriveClientTypes(): Promise<void> {
  if (!hasClient()) return;
  const { code, output } = await runTool('@sveltejs/kit/svelte-kit.js', ['sync'], {
    output: 'keep',
    cwd: CLIENT,
  });
  // The checks that need these types fail too, and this says why they do.
  if (code !== 0) console.log(output);
}

/** Every check, the slowest first so that two cores finish together. */
export function checkSteps(): readonly CheckStep[] {
  return [
    tool(
      'lint',
      'eslint/bin/eslint.js',
      '.',
      '--max-warnings=0',
      '--cache',
      '--cache-strategy=content',
      `--cache-location=${CACHE}/eslint/`,
    ),
    ...(hasClient() ? clientSteps : []),
    tool('types', TSC, '--pretty', 'false'),
    tool(
      'format',
      'prettier/bin/prettier.cjs',
      '--check',
      '.',
      '--cache',
      '--cache-strategy=content',
      '--log-level=warn',
    ),
    tool('unused code', 'knip/bin/knip.js', '--no-progress', '--no-config-hints'),
    tool(
      'code that only tests use',
      'knip/bin/knip.js',
      '--production',
      '--no-progress',
      '--no-config-hints',
    ),
    tool(
      'architecture',
      'dependency-cruiser/bin/dependency-cruiser.mjs',
      '--config',
      '.dependency-cruiser.mjs',
      'shared',
      'server',
      'client',
      'artillery',
    ),
    canary(
      'canary of svelte-check',
      SVELTE_CHECK,
      ['--tsconfig', './tsconfig.json', '--output', 'machine'],
      SVELTE_CHECK_MUST_SAY,
    ),
    canary('canary of tsc', TSC, ['--pretty', 'false'], TSC_MUST_SAY),
  ];
}

import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** A file or function past these sizes has two ideas in it. */
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const TYPED_FILES = [
  'shared/src/**/*.ts',
  'server/{src,test,tools}/**/*.ts',
  'migrations/**/*.ts',
  'artillery/**/*.ts',
  'client/{src,test}/**/*.ts',
];
const TEST_FILES = ['**/*.test.ts', '**/*.contract.ts', 'server/test/**/*.ts', 'client/test/**/*.ts'];
const RULE_FILES = ['shared/src/**/*.ts', 'server/src/**/*.ts'];
/** Where the machine itself is asked: the ports' own files, and where a process starts. */
const PORTS_TO_THE_MACHINE = [
  'shared/src/platform/{clock,random}.ts',
  'server/src/platform/outside.ts',
  'server/src/main.ts',
];
const TIME = 'Time comes in through the clock port.';
const CHANCE = 'Chance comes in through the random port.';
const TURNS = 'The turns of the event loop come in through `Outside`.';

export default defineConfig(
  {
    ignores: [
      '**/node_modules/',
      'client/build/',
      'client/.svelte-kit/',
      'coverage/',
      '.data/',
      '.stack/',
      'server/tools/canary/',
    ],
  },
  js.configs.recommended,
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: globals.node } },
  { files: TYPED_FILES, extends: tseslint.configs.strictTypeChecked },
  {
    files: TYPED_FILES,
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Numbers and booleans read well in a message, and their text is never a surprise.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // A discarded promise in an arrow function's body is the usual way to say "nobody waits for this".
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An adapter in memory has nothing to wait for, and still keeps the port's asynchronous shape.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  // Svelte files get the rules that need no types: svelte-check covers the types themselves. These rules bring a
  // parser along, which Svelte's own must be able to replace.
  { files: ['**/*.svelte'], extends: [tseslint.configs.strict] },
  ...svelte.configs.recommended,
  ...svelte.configs.prettier,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: tseslint.parser },
    },
    rules: {
      // State here is replaced whole (`$state.raw`), so its sets and dates need no tracking of their own.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      // The compiler and svelte-check know which names exist; this rule knows neither types nor runes.
      'no-undef': 'off',
      // The client is served from the root of its own address, so a plain path is the whole link.
      'svelte/no-navigation-without-resolve': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'prefer-const': 'off',
      'svelte/prefer-const': 'error',
    },
  },
  {
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: FILE_LINES_MAX, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': [
        'error',
        { max: FUNCTION_LINES_MAX, skipBlankLines: true, skipComments: true },
      ],
    },
  },
  {
    // Time, chance and turns come in through ports, so that a test or a seeded simulation can hold them still. Keys,
    // secrets and names from `node:crypto` are no such chance: no rule depends on which they are.
    files: RULE_FILES,
    ignores: [...PORTS_TO_THE_MACHINE, ...TEST_FILES],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: TIME },
        { object: 'performance', property: 'now', message: TIME },
        { object: 'process', property: 'hrtime', message: TIME },
        { object: 'process', property: 'nextTick', message: TURNS },
        { object: 'Math', property: 'random', message: CHANCE },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: TIME },
      ],
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval'].map((name) => ({ name, message: TIME })),
        ...['setImmediate', 'queueMicrotask'].map((name) => ({ name, message: TURNS })),
      ],
    },
  },
  {
    files: ['server/src/**/*.ts'],
    ignores: [...PORTS_TO_THE_MACHINE, ...TEST_FILES],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:timers', 'node:timers/promises', 'node:perf_hooks'].map((name) => ({
            name,
            message: TIME,
          })),
          patterns: [
            { group: ['**/platform/clock.ts'], importNames: ['systemClock'], message: TIME },
            { group: ['**/platform/random.ts'], importNames: ['systemRandom'], message: CHANCE },
            {
              group: ['**/outside.ts'],
              importNames: ['nextTurn', 'machineOutside'],
              message: 'A process makes its `Outside` once, where it starts, and hands it on.',
            },
          ],
        },
      ],
    },
  },
  {
    // A suite is one long function of short ones, and a test may look inside what it tests.
    files: TEST_FILES,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);

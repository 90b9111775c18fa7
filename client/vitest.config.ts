import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineProject } from 'vitest/config';

/** Runes in `.svelte.ts` files need the Svelte compiler; everything else about a unit test is as elsewhere. */
export default defineProject({
  plugins: [svelte({ configFile: false })],
  test: {
    name: 'client',
    include: ['src/**/*.test.ts'],
    testTimeout: 30_000,
    isolate: false,
    sequence: { groupOrder: 0 },
  },
});

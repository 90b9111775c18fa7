import type { KnipConfig } from 'knip';

/** Tests are entries: what only they use is still used, but a port nobody implements is not. */
const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: ['server/tools/*.{ts,mjs}!'],
      project: ['*.{ts,js,mjs}'],
      // Installed for its binary: the tasks run on this Node, whichever the host has.
      ignoreDependencies: ['node'],
    },
    shared: {
      // The protocol client is a library for others to drive; its public file is its own entry.
      entry: ['src/client/*.ts', 'src/**/*.test.ts'],
      project: ['src/**/*.ts'],
    },
    server: {
      entry: ['src/main.ts', 'tools/*.{ts,mjs}', 'test/**/*.ts', 'src/**/*.test.ts'],
      project: ['{src,test,tools}/**/*.{ts,mjs}'],
      // Only its schema is read: that of the Compose specification.
      ignoreDependencies: ['dclint'],
    },
    artillery: {
      // Artillery, started by its path, finds the engine by its name in node_modules; the engine itself stands in
      // this checkout and takes what it needs from there.
      entry: ['engine/stampede-engine.ts', 'engine/*.test.ts'],
      project: ['engine/**/*.ts'],
      ignoreDependencies: ['artillery', 'artillery-engine-stampede', 'zod'],
    },
    client: {
      project: ['{src,test}/**/*.{ts,svelte}'],
    },
  },
  // Parts of a type that is exported are written down for the reader, imported or not.
  ignoreExportsUsedInFile: true,
  ignore: ['server/tools/canary/**'],
};

export default config;

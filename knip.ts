import type { KnipConfig } from 'knip';

/**
 * Run twice. As it is, tests are entries, so that their own files are looked at. With `--production` only what ends in
 * `!` counts: code that nothing but tests uses is unused.
 */
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
      entry: ['src/client/*.ts!', 'src/**/*.test.ts'],
      project: ['src/**/*.ts!', '!src/**/*.test.ts!'],
    },
    server: {
      entry: [
        'src/main.ts!',
        'tools/*.{ts,mjs}!',
        // Servers that tests start.
        'tools/{stack,test-stand}/**/*.ts!',
        // The feed of the seats that stand in when Redis is away: kept by its contract suite until nodes switch to them.
        'src/feed/mysql-show-feed.ts!',
        'test/**/*.ts',
        'src/**/*.test.ts',
      ],
      project: ['{src,test,tools}/**/*.{ts,mjs}!', '!test/**!', '!**/*.test.ts!'],
      // Only its schema is read: that of the Compose specification.
      ignoreDependencies: ['dclint'],
    },
    artillery: {
      // Artillery, started by its path, finds the engine by its name in node_modules; the engine itself stands in
      // this checkout and takes what it needs from there.
      entry: ['load.ts!', 'engine/stampede-engine.ts!', '**/*.test.ts'],
      project: ['**/*.ts!', '!**/*.test.ts!'],
      ignoreDependencies: ['artillery', 'artillery-engine-stampede', 'yaml', 'zod'],
    },
    client: {
      // Stands in for msgpackr in browsers, by a name in vite.config.ts.
      entry: ['src/lib/wire/message-pack.ts!'],
      project: ['{src,test}/**/*.{ts,svelte}!', '!test/**!', '!**/*.test.ts!'],
    },
  },
  // Parts of a type that is exported are written down for the reader, imported or not.
  ignoreExportsUsedInFile: true,
  ignore: ['server/tools/canary/**'],
};

export default config;

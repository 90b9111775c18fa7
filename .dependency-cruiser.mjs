// The architecture as rules: what may know what. ARCHITECTURE.md gives the reasons; `npm run check` runs them.

/** An adapter is named for what it stands on; these are the grounds that exist. */
const ADAPTER_GROUNDS = [
  'redis',
  'memory',
  'mysql',
  'sql',
  'sqlite',
  'database',
  'kafka',
  'simulated',
  'altcha',
  'turnstile',
  'embedded',
];
/** Tables are described in the words of the database library, so they stand with the adapters. */
const ANY_TABLE = '^server/src/.*-(entity|entities|table|tables)[.]ts$';

const ROOM = '^server/src/([^/]+)/';
const ANY_ADAPTER = `^server/src/.*/(${ADAPTER_GROUNDS.join('|')})[-.][^/]*$`;
const PLATFORM = '^server/src/platform/';
const TEST = ['[.](test|contract)[.]ts$', '^server/test/', '^client/test/'];

const SOCKET_LIBRARY = 'node_modules/(uWebSockets[.]js|@btc-vision)/';
const STORE_LIBRARIES = 'node_modules/(ioredis|kafkajs|mysql2|@mikro-orm)/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one idea, or a port is missing between them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment:
        'An import that leads nowhere fails only when it is reached. Names with $ are made by SvelteKit.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: ['^[$]', '/[$]types$', '^virtual:', '^svelte/'] },
    },
    {
      name: 'shared-stands-alone',
      comment: 'Browser and server both run shared/: it knows neither of them.',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: ['^server/', '^client/'] },
    },
    {
      name: 'shared-runs-in-a-browser',
      comment: "A browser has none of Node's modules.",
      severity: 'error',
      from: { path: '^shared/src/', pathNot: TEST },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'protocol-under-client',
      comment: 'The protocol client stands on the protocol and the seat map, never the other way round.',
      severity: 'error',
      from: { path: '^shared/src/(protocol|seat-map)/' },
      to: { path: '^shared/src/client/' },
    },
    {
      name: 'client-without-server',
      comment: 'What both sides need lives in shared/.',
      severity: 'error',
      from: { path: '^client/', pathNot: TEST },
      to: { path: '^server/' },
    },
    {
      name: 'server-without-client',
      comment: 'The server serves the built client as files and imports none of it.',
      severity: 'error',
      from: { path: '^server/src/' },
      to: { path: '^client/' },
    },
    {
      name: 'socket-library-in-gateway',
      comment: 'Only the gateway knows which library moves the bytes.',
      severity: 'error',
      from: { path: '^(server/src|shared|client/src)/', pathNot: ['^server/src/gateway/', ...TEST] },
      to: { path: SOCKET_LIBRARY },
    },
    {
      name: 'store-libraries-in-adapters',
      comment: 'Client libraries of stores are touched by adapters, tables and the platform only.',
      severity: 'error',
      from: {
        path: '^(server/src|shared|client/src)/',
        pathNot: [ANY_ADAPTER, ANY_TABLE, PLATFORM, ...TEST],
      },
      to: { path: STORE_LIBRARIES },
    },
    {
      name: 'adapters-chosen-in-main',
      comment:
        'Rules and commands know ports. Which adapter stands behind a port is decided in the files directly ' +
        'under server/src (main.ts, app.ts); only the platform and other adapters build on adapters.',
      severity: 'error',
      from: { path: ROOM, pathNot: [ANY_ADAPTER, ANY_TABLE, PLATFORM, ...TEST] },
      to: { path: ANY_ADAPTER },
    },
    {
      name: 'adapters-stay-home',
      comment:
        "A room's adapters are its own affair; another room, adapter or not, uses its port. The feed's are for the stores " +
        'that stand on the same ground: they write to it in their own atomic step.',
      severity: 'error',
      from: { path: ROOM, pathNot: TEST },
      to: { path: ANY_ADAPTER, pathNot: ['^server/src/$1/', '^server/src/feed/', PLATFORM] },
    },
    {
      name: 'platform-under-rooms',
      comment: 'The platform serves every room and knows none.',
      severity: 'error',
      from: { path: PLATFORM, pathNot: TEST },
      to: {
        path: '^server/src/(gateway|sale|waiting-room|seating|checkout|payment-log|payments|feed|catalog|monitor|access)/',
      },
    },
    {
      name: 'sale-under-gateway',
      comment:
        'A sale is told to whoever carries it to buyers; the rooms that it is made of know nothing of it.',
      severity: 'error',
      from: { path: '^server/src/(waiting-room|seating|checkout|feed|catalog|access)/', pathNot: TEST },
      to: { path: '^server/src/sale/' },
    },
    {
      name: 'feed-under-stores',
      comment: 'Stores of seats and places write to the feed; what it carries is described by itself.',
      severity: 'error',
      from: { path: '^server/src/feed/', pathNot: TEST },
      to: { path: '^server/src/(seating|waiting-room|checkout|catalog|access)/' },
    },
    {
      name: 'gateway-on-top',
      comment: 'Transports call commands; no room calls a transport.',
      severity: 'error',
      from: {
        path: '^server/src/(sale|waiting-room|seating|checkout|payment-log|payments|feed|catalog|access|monitor)/',
        pathNot: TEST,
      },
      to: { path: '^server/src/gateway/' },
    },
    {
      name: 'payments-under-checkout',
      comment:
        'Orders stand on the payment log and the payment service, which know of neither orders nor each other.',
      severity: 'error',
      from: { path: '^server/src/(payment-log|payments)/', pathNot: TEST },
      to: { path: '^server/src/(?!$1/|platform/)[^/]+/' },
    },
    {
      name: 'no-test-in-production',
      comment: 'Code that runs a sale never depends on a test or a development tool.',
      severity: 'error',
      from: { path: '^(server|shared|client)/src/', pathNot: TEST },
      to: { path: [...TEST, '^server/tools/'] },
    },
    {
      name: 'scenarios-on-tools',
      comment: 'Load scenarios send the shoppers that the tools have; nothing else knows of scenarios.',
      severity: 'error',
      from: { path: '^(server|shared|client)/' },
      to: { path: '^artillery/' },
    },
    {
      name: 'production-dependencies',
      comment: 'What the server imports must be installed where it runs.',
      severity: 'error',
      from: { path: '^(server|shared)/src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: {
      path: ['^artillery/node_modules/', '^client/[.]svelte-kit/', '^client/build/', '^server/tools/canary/'],
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'svelte', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.svelte', '.json'],
    },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
};

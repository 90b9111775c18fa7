import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, runTool } from './child-process.ts';

/** A small house that breaks every rule once, and some files that break none. */
const HOUSE: Readonly<Record<string, readonly string[]>> = {
  'node_modules/ioredis/index.js': [],
  'node_modules/uWebSockets.js/index.js': [],
  'server/src/main.ts': ['./seating/redis-seat-store.ts', './gateway/socket-server.ts'],
  'server/src/platform/redis-connection.ts': ['ioredis'],
  'server/src/platform/clock.ts': ['../seating/seat-store.ts'],
  'server/src/gateway/socket-server.ts': ['uWebSockets.js', '../seating/hold-seats.ts'],
  'server/src/seating/seat-store.ts': [],
  'server/src/seating/redis-seat-store.ts': ['ioredis', '../platform/redis-connection.ts', './seat-store.ts'],
  'server/src/seating/hold-seats.ts': ['./seat-store.ts', './redis-seat-store.ts', 'ioredis'],
  'server/src/seating/hold-seats.test.ts': ['./hold-seats.ts', './redis-seat-store.ts'],
  'server/src/seating/first.ts': ['./second.ts'],
  'server/src/seating/second.ts': ['./first.ts'],
  'server/src/checkout/pay.ts': [
    'uWebSockets.js',
    '../gateway/socket-server.ts',
    '../seating/hold-seats.test.ts',
  ],
  'server/src/payment-log/log.ts': ['../checkout/order.ts'],
  'server/src/checkout/order.ts': [],
  'server/src/checkout/redis-order-store.ts': ['../seating/redis-seat-store.ts'],
  'server/src/catalog/page.ts': ['../../../client/src/screen.ts', './nowhere.ts'],
  'shared/src/protocol/codec.ts': ['../client/session.ts', 'node:fs'],
  'shared/src/client/session.ts': ['../../../server/src/seating/seat-store.ts'],
  'client/src/screen.ts': ['../../server/src/seating/seat-store.ts'],
  'server/tools/crowd.ts': ['../../artillery/load.ts'],
  'artillery/load.ts': [],
};

const VIOLATIONS = [
  'adapters-chosen-in-main: server/src/seating/hold-seats.ts',
  'adapters-stay-home: server/src/checkout/redis-order-store.ts',
  'client-without-server: client/src/screen.ts',
  'gateway-on-top: server/src/checkout/pay.ts',
  'no-cycle: server/src/seating/first.ts',
  'no-test-in-production: server/src/checkout/pay.ts',
  'payments-under-checkout: server/src/payment-log/log.ts',
  'platform-under-rooms: server/src/platform/clock.ts',
  'protocol-under-client: shared/src/protocol/codec.ts',
  'resolvable: server/src/catalog/page.ts',
  'scenarios-on-tools: server/tools/crowd.ts',
  'server-without-client: server/src/catalog/page.ts',
  'shared-runs-in-a-browser: shared/src/protocol/codec.ts',
  'shared-stands-alone: shared/src/client/session.ts',
  'socket-library-in-gateway: server/src/checkout/pay.ts',
  'store-libraries-in-adapters: server/src/seating/hold-seats.ts',
];

interface Report {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { name: string } }[];
  };
}

it('finds each breach of the architecture once, and nothing else', async () => {
  const house = mkdtempSync(join(tmpdir(), 'stampede-house-'));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    writeFileSync(join(house, file), text);
  };
  write('tsconfig.json', '{}');
  write('package.json', '{ "type": "module", "dependencies": { "ioredis": "*", "uWebSockets.js": "*" } }');
  for (const [file, imports] of Object.entries(HOUSE)) {
    write(file, imports.map((path) => `import '${path}';\n`).join(''));
  }
  const { output } = await runTool(
    'dependency-cruiser/bin/dependency-cruiser.mjs',
    ['--config', `${ROOT}/.dependency-cruiser.mjs`, '--output-type', 'json', 'server', 'shared', 'client'],
    { output: 'keep', cwd: house },
  );
  const { violations } = (JSON.parse(output) as Report).summary;
  const found = new Set(violations.map(({ rule, from }) => `${rule.name}: ${from}`));
  expect([...found].sort()).toEqual(VIOLATIONS);
  rmSync(house, { recursive: true });
});

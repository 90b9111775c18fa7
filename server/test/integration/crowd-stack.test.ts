import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareEnvironment, type ChildResult, runChild } from '../../tools/checks/child-process.ts';
import { startNginx } from '../../tools/nginx/nginx-server.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { Fleet, type FleetNode } from './stack/fleet.ts';
import { freshSharedParts, type SharedParts } from './stack/shared-parts.ts';

const TOOLS = fileURLToPath(new URL('../../tools', import.meta.url));
const SEATS = 60;

let parts: SharedParts;
let fleet: Fleet;
let gateways: readonly [FleetNode, FleetNode];
let nginx: NativeServer;

function run(tool: string, args: readonly string[], more: Record<string, string> = {}): Promise<ChildResult> {
  const command = ['--disable-warning=ExperimentalWarning', `${TOOLS}/${tool}.ts`, ...args];
  return runChild(process.execPath, command, { output: 'keep', env: bareEnvironment(more) });
}

const lastLine = ({ output }: ChildResult): unknown => JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
const crowd = (args: string, more?: Record<string, string>) =>
  run('crowd', ['--timeout', '50', '--seed', '7', ...args.split(' ')], more);

beforeAll(async () => {
  parts = await freshSharedParts();
  const hall = { sectionSeats: [20, 20, 20] };
  fleet = await Fleet.prepare(parts, [hall, hall, hall], {
    TRUSTED_PROXIES: '127.0.0.1',
    // All of this crowd is one network, which may hold only a part of a house.
    UNLIMITED_ADDRESSES: '127.0.0.0/8',
    PAYMENT_SUCCESS_RATE: '0.8',
  });
  await fleet.start('worker,scheduler');
  gateways = await Promise.all([fleet.start('gateway,scheduler'), fleet.start('gateway,scheduler')]);
  nginx = await startNginx({ gateways: gateways.map(({ port }) => port) });
});
afterAll(async () => {
  await nginx.remove();
  await fleet.end();
  await parts.drop();
});

describe('a crowd on the real stack, behind nginx', () => {
  it('[P1] more buyers than seats: all are answered, all seats are sold by MySQL’s word, none twice', async () => {
    const result = await crowd(
      `--show 1 --buyers 120 --ramp 1 --url ${nginx.url} --database ${parts.databaseUrl}`,
    );
    expect(lastLine(result), result.output).toMatchObject({
      ...{ buyers: 120, answered: 120, sold: SEATS, oversold: 0, errors: 0 },
    });
    expect(result.code).toBe(0);
  });

  it('[P1] all want one seat: one winner, and everybody else is told', async () => {
    const urls = gateways.map(({ port }) => `--url http://127.0.0.1:${port}`).join(' ');
    const result = await crowd(`--show 2 --buyers 150 --ramp 0 --seat 5 ${urls}`, {
      DATABASE_URL: parts.databaseUrl,
    });
    expect(lastLine(result), result.output).toMatchObject({
      ...{ buyers: 150, answered: 150, sold: 1, oversold: 0, errors: 0 },
    });
    expect(result.code).toBe(0);
  });

  it('[P1] live seats and rows are equal, also while a crowd buys', async () => {
    const environment = { REDIS_URL: parts.redisUrl, DATABASE_URL: parts.databaseUrl };
    const buying = crowd(`--show 3 --buyers 100 --ramp 2 --url ${nginx.url}`, environment);
    const progress = { isOver: false };
    void buying.then(() => {
      progress.isOver = true;
    });
    do {
      const result = await run('reconcile', ['--json'], environment);
      expect(lastLine(result), result.output).toMatchObject({ shows: 3, differences: 0 });
    } while (!progress.isOver);
    expect(lastLine(await buying)).toMatchObject({ sold: SEATS, oversold: 0, errors: 0 });
    const after = await run('reconcile', [], environment);
    expect(lastLine(after)).toMatchObject({ sold: 2 * SEATS + 1, differences: 0 });
    expect(after.code).toBe(0);
  });

  it('a database of another server is recognised, and nothing is claimed', async () => {
    const result = await crowd(`--show 2 --buyers 3 --seat 5 --url ${nginx.url} --data ${TOOLS}`);
    expect(lastLine(result)).toMatchObject({ answered: 3, sold: 0, oversold: null });
    expect(result.code).toBe(1);
  });
});

import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settingsByName } from '../../src/config.ts';
import { runServer } from './app-stand-process.ts';
import { ServerProcess } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stampede-settings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Nothing but a few lines that say what is wrong: no stack, no trace of the program. */
function linesOf(output: string): string[] {
  expect(output).not.toMatch(/^\s+at |Error:|node:internal|\.ts:\d/m);
  return output.trimEnd().split('\n');
}

const BAD_VALUES = {
  PORT: 'eighty',
  OPS_PORT: '65536',
  HOST: 'no host!',
  LOG_LEVEL: 'loud',
  SESSION_SECRET: 'short',
  PAYMENT_SECRET: 'shorter',
  ALLOWED_ORIGINS: 'tickets.example/path',
  TRUSTED_PROXIES: '10.0.0.0/99',
  HTTP_CALLS_PER_MINUTE: '0',
  SESSIONS_PER_HOUR: '0.5',
  HTTP_READS_PER_MINUTE: 'many',
  SOCKETS_PER_HOUR: '-2',
  SOCKETS_PER_ADDRESS_MAX: '-1',
  UNLIMITED_ADDRESSES: 'localhost',
  QUEUE_MAX: '1e3',
  PLACES_PER_NETWORK_MAX: '0',
  SEATS_HELD_PER_ADDRESS_PERCENT: '101',
  WAITING_GRACE_SECONDS: '0',
  CLAIM_SECONDS: '30s',
  PAYMENT_DELAY_MIN_MS: '-5',
  PAYMENT_DELAY_MAX_MS: '60001',
  PAYMENT_SUCCESS_RATE: '1.5',
  MIGRATE: 'later',
  KAFKA_BROKERS: 'kafka://somewhere',
  KAFKA_TLS: 'perhaps',
  KAFKA_MECHANISM: 'handshake',
  KAFKA_TOPIC_PREFIX: 'no spaces',
  ROLES: 'cook',
  DEMO: 'yes',
} as const;
/** Whether a place can be had shows only when it is used. */
const NEVER_BAD = ['DATA_DIR', 'REDIS_URL', 'DATABASE_URL', 'KAFKA_USERNAME', 'KAFKA_PASSWORD'];

describe.concurrent('a server that cannot run says why in a few lines and ends with code 2', () => {
  test('every bad setting is named at once, with what is allowed, and no secret is repeated', async () => {
    const { code, output } = await runServer(BAD_VALUES);
    expect(code).toBe(2);
    const lines = linesOf(output);
    expect(lines).toHaveLength(1 + Object.keys(BAD_VALUES).length);
    for (const [name, value] of Object.entries(BAD_VALUES)) {
      const line = lines.find((one) => one.includes(`${name}:`)) ?? '';
      expect(line).toContain('allowed:');
      expect(line.includes(value)).toBe(!name.endsWith('_SECRET'));
    }
    const all = [...settingsByName.keys()];
    expect([...Object.keys(BAD_VALUES), ...NEVER_BAD].toSorted()).toEqual(all.toSorted());
  });

  test('settings that contradict each other are named', async () => {
    const contradiction = { PAYMENT_DELAY_MIN_MS: '500', PAYMENT_DELAY_MAX_MS: '400' };
    const { code, output } = await runServer(contradiction);
    expect(code).toBe(2);
    expect(linesOf(output).join('\n')).toMatch(/PAYMENT_DELAY_MIN_MS: "?500.*PAYMENT_DELAY_MAX_MS.*400/);
  });

  test('a port in use is named, with what to do', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { code, output } = await runServer({ PORT: String(port), DATA_DIR: join(folder, 'port') });
    other.close();
    expect(code).toBe(2);
    expect(linesOf(output)).toEqual([expect.stringMatching(`port ${port}: another process .* set PORT`)]);
  });

  test('an address that this machine does not have is named', async () => {
    const { code, output } = await runServer({ HOST: '203.0.113.7', DATA_DIR: join(folder, 'host') });
    expect(code).toBe(2);
    expect(linesOf(output)).toEqual([expect.stringMatching(/203\.0\.113\.7.*correct HOST/)]);
  });

  test('a data folder that cannot be one is named', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, 'not a folder');
    for (const dataDir of [file, join(file, 'below')]) {
      const { code, output } = await runServer({ DATA_DIR: dataDir });
      expect(code).toBe(2);
      const lines = linesOf(output);
      expect(lines.length).toBeLessThanOrEqual(2);
      expect(lines.join('\n')).toContain('DATA_DIR');
      expect(lines.join('\n')).toContain(dataDir);
    }
  });

  test('a damaged database is named, and left as it is', async () => {
    const dataDir = join(folder, 'damaged');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'stampede.sqlite'), Buffer.alloc(8_192, 'no database at all '));
    const { code, output } = await runServer({ DATA_DIR: dataDir });
    expect(code).toBe(2);
    expect(linesOf(output)).toEqual([expect.stringMatching(/stampede\.sqlite is damaged.*backup/)]);
  });

  test('a database that is a folder, or that another program has locked, is named', async () => {
    const [foreign, locked] = [join(folder, 'foreign'), join(folder, 'locked')];
    await mkdir(join(foreign, 'stampede.sqlite'), { recursive: true });
    await mkdir(locked);
    const other = new DatabaseSync(join(locked, 'stampede.sqlite'));
    other.exec('create table theirs (id integer); begin exclusive');
    const [first, second] = await Promise.all([
      runServer({ DATA_DIR: foreign }),
      runServer({ DATA_DIR: locked }),
    ]);
    other.close();
    expect([first.code, second.code]).toEqual([2, 2]);
    expect(linesOf(first.output)).toEqual([expect.stringMatching(/stampede\.sqlite can't be opened/)]);
    expect(linesOf(second.output)).toEqual([
      expect.stringMatching(/stampede\.sqlite is locked by another program/),
    ]);
  });

  test('a data folder that cannot be had is named', async () => {
    // Nothing is unreadable to root; but a folder inside a file is no folder for anybody.
    const isRoot = process.getuid?.() === 0;
    const parent = join(folder, 'unreadable');
    if (isRoot) await writeFile(parent, '');
    else await mkdir(parent, { mode: 0o000 });
    const dataDir = join(parent, 'data');
    const { code, output } = await runServer({ DATA_DIR: dataDir });
    expect(code).toBe(2);
    expect(linesOf(output).join('\n')).toContain(dataDir);
  });

  test('a session secret that is none is named, not replaced: buyers would lose their sessions', async () => {
    const dataDir = join(folder, 'secret');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'session-secret'), 'hunter2');
    const { code, output } = await runServer({ DATA_DIR: dataDir });
    expect(code).toBe(2);
    expect(linesOf(output).join('\n')).toMatch(/DATA_DIR: .*session-secret does not hold/);
    expect(output).not.toContain('hunter2');
  });

  test('[P1] a data folder that another server uses is refused, and the other one sells on', async () => {
    const dataDir = join(folder, 'shared');
    const port = await freePort();
    const server = new ServerProcess({
      PORT: String(port),
      HOST: '127.0.0.1',
      DATA_DIR: dataDir,
      DEMO: 'off',
    });
    await server.serving();
    const { code, output } = await runServer({ DATA_DIR: dataDir });
    expect(code).toBe(2);
    expect(linesOf(output)).toEqual([expect.stringMatching(/in use by another server/)]);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    expect(await server.stop()).toMatchObject({ code: 0 });
  });
});

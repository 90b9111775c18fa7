import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../tools/checks/child-process.ts';
import type { NativeServer } from '../../../tools/stack/native-server.ts';
import { startDatabase, startKafka, startRedis } from '../../../tools/stack/private-servers.ts';
import { runServer } from '../app-stand-process.ts';
import { Fleet, until } from './fleet.ts';
import { Shopper } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../app-stand-show.ts';

const SHOW = visitedShow(1, [40]);
const DATABASE = 'stampede_accounts';
const WORKER = 'rows_only';
const EMPTY = 'stampede_empty';
const WORK_PASSWORD = 'for-rows';
const KAFKA = { username: 'stampede', password: 'for-payments' };
const KAFKA_SETTINGS = {
  KAFKA_MECHANISM: 'plain',
  KAFKA_USERNAME: KAFKA.username,
  KAFKA_PASSWORD: KAFKA.password,
};

let servers: readonly NativeServer[] = [];
let ownerUrl: string;
let workUrl: string;
let kafkaBrokers: string;
let redisUrl: string;

/** The statements that production's database is set up with; here another user and database have those names. */
function productionUsers(database: string): readonly string[] {
  const script = readFileSync(join(ROOT, 'deploy', 'mysql-users.sh'), 'utf8');
  const sql = /<<SQL\n([\s\S]*)\nSQL/.exec(script)?.[1] ?? '';
  return sql
    .replace(/\$\{WORK_PASSWORD.*\}/, WORK_PASSWORD)
    .replaceAll("'stampede'@", `'${WORKER}'@`)
    .replaceAll('stampede.*', `${database}.*`)
    .split(';\n')
    .map((statement) => statement.replace(/;$/, ''));
}

beforeAll(async () => {
  const [redis, database, kafka] = await Promise.all([
    startRedis(),
    startDatabase(),
    startKafka(undefined, KAFKA),
  ]);
  servers = [redis, database, kafka];
  [redisUrl, kafkaBrokers] = [redis.url, kafka.url];
  const administrator = await createConnection(database.url);
  for (const name of [DATABASE, EMPTY]) {
    await administrator.query(`create database ${name} character set utf8mb4`);
    for (const statement of productionUsers(name)) await administrator.query(statement);
  }
  await administrator.end();
  const owner = new URL(database.url);
  owner.pathname = `/${DATABASE}`;
  ownerUrl = owner.href;
  const work = new URL(ownerUrl);
  [work.username, work.password] = [WORKER, WORK_PASSWORD];
  workUrl = work.href;
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.remove()));
});

test('who buys and sells may change rows only, and a broker that asks for a password gets it', async () => {
  const migrated = await runServer({ MIGRATE: 'only', DATABASE_URL: ownerUrl });
  expect(migrated).toMatchObject({ code: 0 });
  expect(migrated.output).toContain('up to date');

  const parts = { redisUrl, databaseUrl: ownerUrl, kafkaBrokers };
  const settings = { DATABASE_URL: workUrl, MIGRATE: 'off', ...KAFKA_SETTINGS };
  const fleet = await Fleet.prepare(parts, [{ sectionSeats: [40] }], settings);
  try {
    const node = await fleet.start('gateway,worker,scheduler');
    const buyer = await (await Shopper.arrive(node.port, SHOW)).admitted();
    await buyer.holds([3]);
    const order = await buyer.pays('with-few-rights');
    await until('the ticket', () => buyer.order(order.id)?.status === 'confirmed');
    buyer.client.stop();
  } finally {
    await fleet.end();
  }
  const connection = await createConnection(workUrl);
  await expect(connection.query('alter table orders add column worse int')).rejects.toThrow(/denied/);
  await expect(connection.query('drop table sold_seats')).rejects.toThrow(/denied/);
  await connection.end();
});

test('a node that may not migrate waits for the tables, and says who makes them', async () => {
  const emptyUrl = new URL(workUrl);
  emptyUrl.pathname = `/${EMPTY}`;
  const parts = { redisUrl, databaseUrl: ownerUrl, kafkaBrokers };
  const fleet = await Fleet.prepare(parts, [], {
    DATABASE_URL: emptyUrl.href,
    MIGRATE: 'off',
    ...KAFKA_SETTINGS,
  });
  try {
    const node = await fleet.launch('gateway,worker,scheduler');
    await until('it says what it waits for', () =>
      node.output.includes('a process with MIGRATE=only runs them'),
    );
    const owner = new URL(ownerUrl);
    owner.pathname = `/${EMPTY}`;
    expect((await runServer({ MIGRATE: 'only', DATABASE_URL: owner.href })).code).toBe(0);
    await node.ready();
  } finally {
    await fleet.end();
  }
});

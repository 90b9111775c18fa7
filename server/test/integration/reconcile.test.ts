import { fileURLToPath } from 'node:url';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { SqlOrderStore } from '../../src/checkout/sql-order-store.ts';
import { openMysqlDatabase } from '../../src/platform/database-mysql.ts';
import type { Database } from '../../src/platform/database.ts';
import { holdToken, orderId, type SessionId, sessionId, type ShowId } from '../../src/platform/ids.ts';
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts';
import { showKey } from '../../src/platform/redis-keys.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { RedisSeatStore } from '../../src/seating/redis-seat-store.ts';
import type { SeatRules } from '../../src/seating/seat-store.ts';
import { bareEnvironment, runChild } from '../../tools/checks/child-process.ts';
import { allTables } from '../contracts/test-database.ts';
import { freshRedisDatabase, freshSharedDatabase } from '../shared-servers.ts';
import { addShows } from './app-stand.ts';

const TASK = fileURLToPath(new URL('../../tools/reconcile.ts', import.meta.url));
const SEATS = 10;

let settings: Record<string, string>;
let database: Database;
let dropDatabase: () => Promise<void>;
let redis: RedisConnection;
let seats: RedisSeatStore;
let shows: readonly ShowId[];
let lastOrder = 0;

const rulesOf = (show: ShowId): SeatRules => ({
  show,
  seatCount: SEATS,
  sectionOf: new Uint16Array(SEATS),
  sectionCount: 1,
  seatsPerBuyer: 4,
  seatsPerNetwork: Infinity,
  holdLifetimeMs: 60_000,
  extensionsMax: 0,
});

/** Settles an order as a worker does, or leaves out one half of it. */
async function sell(show: ShowId, session: SessionId, seat: number, where: 'both' | 'live' | 'database') {
  const id = orderId(`01890000-0000-7000-8000-${String((lastOrder += 1)).padStart(12, '0')}`);
  const sale = {
    orderId: id,
    show,
    session,
    holdToken: holdToken(1),
    seats: [seat],
    amount: 1,
    currency: 'EUR',
  };
  if (where !== 'live') {
    const request = { ...sale, idempotencyKey: id, createdAt: 1, payBy: 2, attempt: 1 };
    const verdict = { status: 'confirmed', reason: '', paymentReference: 'p', tickets: [`T${id}`] } as const;
    await new SqlOrderStore(database).settle([{ request, ...verdict }], 1);
  }
  if (where === 'database') return;
  const order = { ...sale, id, status: 'confirmed', createdAt: 1, reason: '', tickets: ['T'] } as const;
  await seats.settle(rulesOf(show), [{ kind: 'sold', session, holdToken: holdToken(1), order }]);
}

async function reconcile(more: Record<string, string> = {}, ...flags: string[]) {
  const env = bareEnvironment({ ...settings, ...more });
  const args = ['--disable-warning=ExperimentalWarning', TASK, ...flags];
  const { code, output } = await runChild(process.execPath, args, { output: 'keep', env });
  return { code, output, lines: output.trimEnd().split('\n') };
}

beforeAll(async () => {
  const fresh = await freshSharedDatabase();
  dropDatabase = () => fresh.drop();
  settings = { DATABASE_URL: fresh.url, REDIS_URL: (await freshRedisDatabase()).url };
  const parts = { clock: systemClock, random: systemRandom, onTrouble: () => undefined };
  database = await openMysqlDatabase(fresh.url, allTables, parts);
  redis = await connectRedis(settings['REDIS_URL'] ?? '', parts);
  seats = new RedisSeatStore({
    redis: redis.client,
    outside: { nextTurn },
    newEpoch: () => 1,
    onHistoryLost: () => undefined,
  });
  const catalog = new SqlCatalogStore(database);
  await addShows(catalog, [{ sectionSeats: [SEATS] }, { sectionSeats: [SEATS] }], Date.now());
  shows = (await catalog.contents()).shows.map(({ id }) => id);
  for (const show of shows) await seats.open(rulesOf(show), { sold: [], checkouts: [] });
});

afterAll(async () => {
  redis.close();
  await database.close();
  await dropDatabase();
});

it('[P1] equal books are told to be equal', async () => {
  const [show] = shows;
  if (!show) throw new Error('no show');
  await sell(show, sessionId('ana'), 0, 'both');
  const { code, lines } = await reconcile();
  expect(lines).toEqual([
    `show ${show} "Show 0": 1 seats sold, no difference`,
    expect.stringContaining('0 seats sold, no difference'),
    '{"shows":2,"sold":1,"onlyLive":0,"onlyInDatabase":0,"miscounted":0,"differences":0}',
  ]);
  expect(code).toBe(0);
});

it('[P1] every difference is found, in both directions, and no buyer is named', async () => {
  const [, show] = shows;
  if (!show) throw new Error('no show');
  await sell(show, sessionId('ben'), 3, 'live');
  await sell(show, sessionId('cleo'), 5, 'database');
  const { code, output, lines } = await reconcile({}, '--json');
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
    ...{ shows: 2, sold: 2, onlyLive: 1, onlyInDatabase: 1, miscounted: 2, differences: 4 },
  });
  expect(output).toContain('sold live, not in the database: seat 3\n');
  expect(output).toContain('sold in the database, not live: seat 5\n');
  expect(output).not.toMatch(/ben|cleo/);
  expect(code).toBe(1);
});

it('Redis emptied: what was sold is missing live', async () => {
  const [show] = shows;
  if (!show) throw new Error('no show');
  await redis.client.del(showKey(show, 'meta'));
  const { code, output } = await reconcile();
  expect(output).toContain('1 seats sold, 2 DIFFERENCES (not open live)');
  expect(code).toBe(1);
});

it.concurrent.each([
  [{ REDIS_URL: '' }, 'REDIS_URL'],
  [{ DATABASE_URL: '' }, 'DATABASE_URL'],
  [{ REDIS_URL: 'redis://127.0.0.1:1' }, 'REDIS_URL'],
  [{ DATABASE_URL: 'mysql://me:secret@127.0.0.1:1/sale' }, 'DATABASE_URL'],
  [{ DATABASE_URL: 'postgres://127.0.0.1/sale' }, 'DATABASE_URL'],
])('%j can not be compared: one line that names %s, and exit code 2', async (wrong, name) => {
  const { code, output } = await reconcile(wrong);
  expect(output).toMatch(new RegExp(`^${name}[^\n]+\n$`));
  expect(output).not.toContain('secret');
  expect(code).toBe(2);
});

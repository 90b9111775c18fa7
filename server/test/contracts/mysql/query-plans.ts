import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { describe, expect, it } from 'vitest';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { SqlOrderStore } from '../../../src/checkout/sql-order-store.ts';
import { SqlPaymentLog } from '../../../src/payment-log/sql-payment-log.ts';
import type { Database } from '../../../src/platform/database.ts';
import { orderId, sessionId, showId } from '../../../src/platform/ids.ts';
import { nextTurn } from '../../../src/platform/outside.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import {
  confirmed,
  declined,
  newOrderId,
  NOW,
  paymentRequest,
  records as sealed,
} from '../payment-requests.ts';
import { FeedReader } from '../seating/feed-reader.ts';
import { seatNode } from './seat-stand.ts';
import type { SqlServerStand } from './sql-server-stand.ts';

/** Enough that a plan without an index would show. */
const ORDERS = 1_500;
const SEATS = 3_000;
/** Rows that a statement about some orders, seats or sessions may look at, and far fewer than there are. */
const ROWS_MAX = 300;
/** Whoever asks for all shows, all seats of a show or all that it sold gets all of them. */
const WHOLE =
  /^select .* from `(shows|venue_layouts)`|from sold_seats s join|changes from live_seats where show_id/;

interface Step {
  readonly table: string | null;
  readonly type: string | null;
  readonly key: string | null;
  /** MariaDB says it as text. */
  readonly rows: number | string | null;
}

const WAIT = { timeout: 30_000, interval: 200 };

/** How the server carries out a statement. */
interface Plan {
  readonly sql: string;
  readonly steps: readonly Step[];
}

const RULES: SeatRules = {
  show: showId(4_000_000),
  seatCount: SEATS,
  sectionOf: Uint16Array.from({ length: SEATS }, (_, seat) => Math.floor(seat / 100)),
  sectionCount: SEATS / 100,
  seatsPerBuyer: 8,
  seatsPerNetwork: Infinity,
  holdLifetimeMs: 300_000,
  extensionsMax: 1,
};

/** Runs what people's clicks run and notes each kind of statement, with one example of its values. */
async function statementsOf(database: Database, work: () => Promise<void>): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const { config, platform } = withInsides(database);
  config.set('onQuery', (sql: string, params: readonly unknown[]) => {
    const kind = sql.replaceAll(/\(\?(, \?)*\)/g, '(…)');
    if (/^(select|update|delete)/.test(sql) && !seen.has(kind))
      seen.set(kind, platform.formatQuery(sql, params));
    return sql;
  });
  try {
    await work();
  } finally {
    config.set('onQuery', (sql: string) => sql);
  }
  return seen;
}

/** The ORM hands every statement to a hook of its configuration before it sends it. */
function withInsides(database: Database) {
  const entities = database.entities();
  return {
    config: entities.config as unknown as { set(name: 'onQuery', hook: unknown): void },
    platform: entities.getPlatform() as unknown as { formatQuery(sql: string, params: unknown): string },
  };
}

/** Every statement of the adapters, run on tables that are not empty. */
async function hotStatements({ database, another }: SqlServerStand): Promise<ReadonlyMap<string, string>> {
  const clock = new ManualClock(NOW);
  const parts = {
    database,
    records: sealed,
    outside: { clock, random: seededRandom(1), nextTurn, report: () => undefined },
  };
  const [orders, log, node] = [new SqlOrderStore(database), new SqlPaymentLog(parts), seatNode(database)];
  const requests = Array.from({ length: ORDERS }, (_, index) =>
    paymentRequest({
      show: RULES.show,
      seats: [index],
      session: sessionId(`session-${String(index % 100)}`),
      createdAt: NOW + index,
    }),
  );
  const records = await orders.settle(requests.map(confirmed), NOW);
  await orders.markApplied(
    records.slice(20).map((record) => record.id),
    NOW,
  );
  await log.append(requests);
  await another
    .entities()
    .execute('update payment_log set consumed_at = ? where log_offset % 100 > 0', [NOW], 'run');
  const sold = requests.map(({ seats: [seat = 0], session }) => ({ seat, session }));
  await node.store.open(RULES, { sold, checkouts: [] });
  await another
    .entities()
    .execute('analyze table orders, payments, sold_seats, outbox, payment_log, live_seats');

  const seen = await statementsOf(database, async () => {
    const catalog = new SqlCatalogStore(database);
    await catalog.version();
    await catalog.contents();
    await settleAndRead(orders, requests[7]!);
    await log.append([paymentRequest({ show: RULES.show })]);
    await log.pending(RULES.show);
    const stop = await log.consume(async () => undefined);
    await expect.poll(async () => (await log.pending(RULES.show)).length).toBe(0);
    await stop();
    await clickAround(node);
  });
  await node.close();
  return seen;
}

/** How the server would carry out each statement now. */
async function plansOf(
  database: Database,
  statements: ReadonlyMap<string, string>,
): Promise<readonly Plan[]> {
  const plans: Plan[] = [];
  for (const [sql, example] of statements) {
    const steps = await database.entities().execute<Step[]>(`explain format = traditional ${example}`);
    plans.push({ sql, steps });
  }
  return plans;
}

async function settleAndRead(orders: SqlOrderStore, old: ReturnType<typeof paymentRequest>): Promise<void> {
  const [record] = await orders.settle(
    [declined(paymentRequest()), confirmed(paymentRequest({ seats: [2_000] }))],
    NOW,
  );
  await orders.settle([confirmed(paymentRequest({ show: old.show, seats: old.seats }))], NOW);
  await orders.byIds([old.orderId, orderId(newOrderId())]);
  await orders.ofSessions([old.session, sessionId('session-8')], 10);
  await orders.soldSeats(old.show);
  await orders.pendingOutbox(10, 0);
  await orders.markApplied([record!.id], NOW);
}

async function clickAround(node: ReturnType<typeof seatNode>): Promise<void> {
  const { store, feed } = node;
  const reader = new FeedReader(RULES.sectionOf);
  const stop = await feed.follow(RULES.show, reader);
  for (let index = 0; index < 40; index++) {
    const session = sessionId(`buyer-${String(index)}`);
    await node.admit(RULES.show, session, NOW * 2);
    await store.take(RULES, [
      {
        kind: 'hold',
        session,
        network: null,
        seats: [ORDERS + index * 2, ORDERS + index * 2 + 1],
        prices: [1, 1],
      },
    ]);
    const hold = await store.holdOf(RULES.show, session);
    if (!hold) continue;
    const { holdToken } = hold;
    if (index % 4 === 0) await store.take(RULES, [{ kind: 'release', session, holdToken, seats: [] }]);
    else if (index % 4 === 1) await store.take(RULES, [{ kind: 'extend', session, holdToken }]);
    else if (index % 4 === 2) {
      const order = newOrderId();
      const key = `key-${String(index)}`;
      const checkout = { session, holdToken, idempotencyKey: key, amount: 2, orderId: order, keepMs: 1 };
      await store.take(RULES, [{ kind: 'checkout', ...checkout }]);
    }
  }
  await expect.poll(() => reader.entries.length).toBeGreaterThan(40);
  node.clock.advance(400_000);
  await store.take(RULES, [
    { kind: 'hold', session: sessionId('buyer-0'), network: null, seats: [ORDERS + 5], prices: [1] },
  ]);
  await store.expire(RULES);
  stop();
}

/** The server finds what it needs by an index, whatever statement comes from the adapters. */
export function describeQueryPlans(stand: () => SqlServerStand): void {
  describe('query plans', () => {
    it('no statement reads a whole table but those that ask for all of it', async () => {
      const statements = await hotStatements(stand());
      expect(statements.size).toBeGreaterThan(25);
      // Rows that were just changed still count where they were until the server has cleaned up behind us.
      await expect
        .poll(async () => (await plansOf(stand().another, statements)).filter(isWasteful), WAIT)
        .toEqual([]);
      await stand().empty();
    });
  });
}

function isWasteful({ sql, steps }: Plan): boolean {
  const reads = steps.filter(({ table }) => table !== null).map(({ rows }) => Number(rows ?? 0));
  return !WHOLE.test(sql) && Math.max(0, ...reads) > ROWS_MAX;
}

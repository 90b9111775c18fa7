import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { afterAll, beforeAll, describe } from 'vitest';
import { SqlRecoveryStore } from '../../../src/access/sql-recovery-store.ts';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { SqlOrderStore } from '../../../src/checkout/sql-order-store.ts';
import { SqlPaymentLog } from '../../../src/payment-log/sql-payment-log.ts';
import { nextTurn } from '../../../src/platform/outside.ts';
import { confirmed, NOW, paymentRequest } from '../payment-requests.ts';
import { catalogStoreContract } from '../catalog-store.contract.ts';
import { orderStoreContract } from '../order-store.contract.ts';
import { paymentLogContract } from '../payment-log.contract.ts';
import { records } from '../payment-requests.ts';
import { recoveryStoreContract } from '../recovery-store.contract.ts';
import { describeTableLog } from '../table-log-rules.ts';
import { describeSeatStore } from '../seat-store.contract.ts';
import { describeStoreTime } from '../seating/store-time-rules.ts';
import { describeSharedShowFeed } from '../show-feed.contract.ts';
import { describeMigrating } from './migrating-rules.ts';
import { describeOpening } from './opening-rules.ts';
import { describeQueryPlans } from './query-plans.ts';
import { feedPen, seatNode } from './seat-stand.ts';
import { describeSeveralNodes } from './several-nodes.ts';
import { SqlServerStand } from './sql-server-stand.ts';

/** Every step of one waits for the disk. */
const RANDOM_SALES = 10;
/** The server's program may have to be downloaded first. */
const START_TIMEOUT_MS = 600_000;

/**
 * Every contract that an adapter on MySQL or MariaDB keeps, in a database of this file's own. The two differ in their
 * dialect only, so `dialectOnly` leaves out what is decided by our own code however the statements are written.
 */
export function describeSqlServer(
  name: string,
  server: 'database' | 'mariadb',
  { dialectOnly = false } = {},
): void {
  describe(name, () => {
    let started: SqlServerStand | undefined;
    const stand = (): SqlServerStand => {
      if (!started) throw new Error('no server yet');
      return started;
    };
    beforeAll(async () => {
      started = await SqlServerStand.start(server);
    }, START_TIMEOUT_MS);
    afterAll(() => started?.close());
    describeOpening(stand, server);
    describeStores(name, stand);
    describeMigrating(stand);
    describeQueryPlans(stand);
    describeSeveralNodes(stand);
    const randomSales = dialectOnly ? 1 : RANDOM_SALES;
    describeSeatStore(name, async () => seatNode(stand().database), { randomSales });
    if (dialectOnly) return;
    describeStoreTime(name, async () => seatNode(stand().database, null));
    describeSharedShowFeed(name, async () => feedPen(stand().database));
  });
}

function describeStores(name: string, stand: () => SqlServerStand): void {
  describeTableLog(name, async () => ({ database: stand().database, empty: () => stand().empty() }));

  catalogStoreContract(`SQL on ${name}`, async () => {
    const sql = stand();
    const { database, another } = sql;
    return {
      store: new SqlCatalogStore(database),
      reopened: () => new SqlCatalogStore(another),
      sellSeat: (show) => new SqlOrderStore(database).settle([confirmed(paymentRequest({ show }))], NOW),
      remove: () => sql.empty(),
    };
  });

  orderStoreContract(`SQL on ${name}`, async () => {
    const sql = stand();
    const { database, another } = sql;
    return {
      store: new SqlOrderStore(database),
      another: () => new SqlOrderStore(another),
      remove: () => sql.empty(),
    };
  });

  recoveryStoreContract(`SQL on ${name}`, async () => {
    const sql = stand();
    const { database, another } = sql;
    return {
      store: new SqlRecoveryStore(database),
      another: new SqlRecoveryStore(another),
      remove: () => sql.empty(),
    };
  });

  paymentLogContract(`SQL on ${name}`, async () => {
    const sql = stand();
    const { database, another } = sql;
    const clock = new ManualClock();
    const outside = { clock, random: seededRandom(1), nextTurn, report: () => undefined };
    return {
      log: new SqlPaymentLog({ outside, records, database }),
      restarted: async () => new SqlPaymentLog({ outside, records, database: another }),
      pass: (ms) => clock.advance(ms),
      remove: () => sql.empty(),
    };
  });
}

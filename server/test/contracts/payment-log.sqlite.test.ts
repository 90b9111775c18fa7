import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { SqlPaymentLog } from '../../src/payment-log/sql-payment-log.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { paymentLogContract } from './payment-log.contract.ts';
import { records } from './payment-requests.ts';
import { describeTableLog } from './table-log-rules.ts';
import { openTestDatabase } from './test-database.ts';

describeTableLog('SQLite', async () => {
  const { database, ...test } = await openTestDatabase();
  return { database, empty: () => test.remove() };
});

paymentLogContract('SQL on SQLite', async () => {
  const { database, ...test } = await openTestDatabase();
  const clock = new ManualClock();
  const start = () =>
    new SqlPaymentLog({
      database,
      records,
      outside: { clock, random: seededRandom(1), nextTurn, report: () => undefined },
    });
  return {
    log: start(),
    restarted: async () => start(),
    pass: (ms) => clock.advance(ms),
    remove: () => test.remove(),
  };
});

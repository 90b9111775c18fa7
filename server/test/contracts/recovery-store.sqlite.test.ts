import { SqlRecoveryStore } from '../../src/access/sql-recovery-store.ts';
import { recoveryStoreContract } from './recovery-store.contract.ts';
import { openTestDatabase } from './test-database.ts';

recoveryStoreContract('SQL on SQLite', async () => {
  const test = await openTestDatabase();
  return {
    store: new SqlRecoveryStore(test.database),
    another: new SqlRecoveryStore(test.database),
    remove: () => test.remove(),
  };
});

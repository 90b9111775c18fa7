import { SqlOrderStore } from '../../src/checkout/sql-order-store.ts';
import { orderStoreContract } from './order-store.contract.ts';
import { openTestDatabase } from './test-database.ts';

orderStoreContract('SQL on SQLite', async () => {
  const test = await openTestDatabase();
  return {
    store: new SqlOrderStore(test.database),
    another: () => new SqlOrderStore(test.database),
    remove: () => test.remove(),
  };
});

import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { catalogStoreContract } from './catalog-store.contract.ts';
import { openTestDatabase } from './test-database.ts';

catalogStoreContract('SQL on SQLite', async () => {
  const test = await openTestDatabase();
  return {
    store: new SqlCatalogStore(test.database),
    reopened: () => new SqlCatalogStore(test.database),
    remove: () => test.remove(),
  };
});

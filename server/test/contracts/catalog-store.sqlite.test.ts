import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { SqlOrderStore } from '../../src/checkout/sql-order-store.ts';
import { catalogStoreContract } from './catalog-store.contract.ts';
import { confirmed, NOW, paymentRequest } from './payment-requests.ts';
import { openTestDatabase } from './test-database.ts';

catalogStoreContract('SQL on SQLite', async () => {
  const test = await openTestDatabase();
  return {
    store: new SqlCatalogStore(test.database),
    reopened: () => new SqlCatalogStore(test.database),
    sellSeat: (show) => new SqlOrderStore(test.database).settle([confirmed(paymentRequest({ show }))], NOW),
    remove: () => test.remove(),
  };
});

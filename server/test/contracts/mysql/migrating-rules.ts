import { describe, expect, it } from 'vitest';
import { SqlOrderStore } from '../../../src/checkout/sql-order-store.ts';
import { showId } from '../../../src/platform/ids.ts';
import { confirmed, NOW, paymentRequest } from '../payment-requests.ts';
import type { SqlServerStand } from './sql-server-stand.ts';

const SHOW = showId(5_000_000);
const BATCH = 20;
/** What a next version may do to tables that are in use: each step leaves this version able to work. */
const EXPANSION = [
  'alter table orders add column note varchar(80) null',
  "alter table sold_seats add column gate varchar(10) not null default 'A'",
  'create index orders_by_show on orders (show_id, created_at)',
  'create table order_notes (id bigint unsigned not null auto_increment primary key, note text)',
];
const CONTRACTION = [
  'alter table orders drop column note',
  'alter table sold_seats drop column gate',
  'drop index orders_by_show on orders',
  'drop table order_notes',
];

/** Changing the tables under people who buy. */
export function describeMigrating(stand: () => SqlServerStand): void {
  describe('migrating under load', () => {
    it('a next version adds its columns, indexes and tables while this one settles: no error, nothing lost', async () => {
      const store = new SqlOrderStore(stand().database);
      let seat = 0;
      const settled: string[] = [];
      const sell = async (): Promise<void> => {
        const requests = Array.from({ length: BATCH }, () => paymentRequest({ show: SHOW, seats: [seat++] }));
        const records = await store.settle(requests.map(confirmed), NOW);
        expect(records.every((record) => record.order.status === 'confirmed')).toBe(true);
        settled.push(...records.map((record) => record.order.id));
      };
      const migration = { isOver: false };
      const sellers = Array.from({ length: 3 }, async () => {
        do await sell();
        while (!migration.isOver);
      });
      try {
        for (const statement of EXPANSION) {
          await stand().another.entities().execute(statement, [], 'run');
          await sell();
        }
        for (const statement of CONTRACTION) await stand().another.entities().execute(statement, [], 'run');
      } finally {
        migration.isOver = true;
      }
      await Promise.all(sellers);
      const sold = await store.soldSeats(SHOW);
      expect(sold).toHaveLength(settled.length);
      expect(sold.map((row) => row.seat)).toEqual(Array.from({ length: seat }, (_, index) => index));
      await stand().empty();
    });
  });
}

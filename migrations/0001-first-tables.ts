import { Migration } from '@mikro-orm/migrations';
import { type ColumnTypes, columnTypes, type TableDescription } from './column-types.ts';

/**
 * Catalogue, orders, payments, sold seats, outbox and the embedded payment log.
 *
 * Orders have no foreign key to their show on purpose: a payment that was accepted must find its outcome, whatever
 * became of the show [P2].
 *
 * Every index is there for a query that runs while people buy; `contracts/mysql/query-plans.ts` asks the server
 * whether it uses them:
 * - `orders_session_key`: the order of an idempotency key, the guard that a key has one order, and all orders of a
 *   session (which are so few that sorting them costs nothing);
 * - `sold_seats` by its primary key: the arbiter [P1] and the sold seats of a show; by order: an order's tickets;
 * - `outbox_pending`: what was not applied yet, oldest first, however long the history; by order: its record;
 * - `payment_log_pending`: the same for payments not consumed yet; by order: appended once.
 */
export class FirstTables extends Migration {
  override up(): void {
    const types = columnTypes(this.driver.getPlatform());
    const tables = [...catalog(types), ...orders(types), outbox(types), paymentLog(types)];
    for (const table of tables) {
      for (const statement of types.createTable(table)) this.addSql(statement);
    }
  }

  override down(): void {
    const tables = ['payment_log', 'outbox', 'sold_seats', 'payments', 'orders', 'shows', 'venue_layouts'];
    for (const table of tables) this.addSql(`drop table ${table}`);
  }
}

function catalog(t: ColumnTypes): readonly TableDescription[] {
  const layouts = {
    name: 'venue_layouts',
    columns: [`id ${t.ascii(64)} not null primary key`, `layout ${t.longText} not null`],
  };
  const shows = {
    name: 'shows',
    columns: [
      `id ${t.risingId}`,
      `title ${t.text(200)} not null`,
      `subtitle ${t.text(200)} not null`,
      `description ${t.longText} not null`,
      `venue_layout_id ${t.ascii(64)} not null`,
      `starts_at ${t.uint53} not null`,
      `currency ${t.ascii(3)} not null`,
      `prices ${t.text(500)} not null`,
      `terms ${t.text(1000)} not null`,
      `draw_seed ${t.ascii(64)} not null`,
      `paused ${t.boolean} not null`,
      'constraint shows_venue_layout foreign key (venue_layout_id) references venue_layouts (id)',
    ],
  };
  return [layouts, shows];
}

function orders(t: ColumnTypes): readonly TableDescription[] {
  const orderTable = {
    name: 'orders',
    columns: [
      `id ${t.ascii(36)} not null primary key`,
      `show_id ${t.uint32} not null`,
      `session_id ${t.ascii(64)} not null`,
      `hold_token ${t.uint53} not null`,
      `idempotency_key ${t.text(64)} not null`,
      `status ${t.ascii(10)} not null`,
      `seats ${t.ascii(500)} not null`,
      `amount ${t.uint53} not null`,
      `currency ${t.ascii(3)} not null`,
      `created_at ${t.uint53} not null`,
      `settled_at ${t.uint53} not null`,
      `reason ${t.text(80)} not null`,
      "constraint orders_status check (status in ('confirmed', 'declined', 'voided', 'refunded'))",
    ],
    indexes: [{ name: 'orders_session_key', columns: ['session_id', 'idempotency_key'], unique: true }],
  };
  const payments = {
    name: 'payments',
    columns: [
      `order_id ${t.ascii(36)} not null primary key`,
      `status ${t.ascii(10)} not null`,
      `reference ${t.text(255)} not null`,
      `amount ${t.uint53} not null`,
      `currency ${t.ascii(3)} not null`,
      `decided_at ${t.uint53} not null`,
      'constraint payments_order foreign key (order_id) references orders (id)',
      "constraint payments_status check (status in ('captured', 'declined', 'voided', 'refunded'))",
    ],
  };
  const soldSeats = {
    name: 'sold_seats',
    columns: [
      `show_id ${t.uint32} not null`,
      `seat ${t.uint32} not null`,
      `order_id ${t.ascii(36)} not null`,
      `ticket_code ${t.ascii(40)} not null`,
      'primary key (show_id, seat)',
      'constraint sold_seats_order foreign key (order_id) references orders (id)',
    ],
    indexes: [
      { name: 'sold_seats_ticket_code', columns: ['ticket_code'], unique: true },
      { name: 'sold_seats_by_order', columns: ['order_id'] },
    ],
    clustered: true,
  };
  return [orderTable, payments, soldSeats];
}

function outbox(t: ColumnTypes): TableDescription {
  return {
    name: 'outbox',
    columns: [
      `id ${t.risingId}`,
      `order_id ${t.ascii(36)} not null`,
      `created_at ${t.uint53} not null`,
      `applied_at ${t.uint53}`,
      'constraint outbox_order foreign key (order_id) references orders (id)',
    ],
    indexes: [
      { name: 'outbox_pending', columns: ['applied_at', 'id'] },
      { name: 'outbox_by_order', columns: ['order_id'] },
    ],
  };
}

function paymentLog(t: ColumnTypes): TableDescription {
  return {
    name: 'payment_log',
    columns: [
      `log_offset ${t.risingId}`,
      `order_id ${t.ascii(36)} not null`,
      `show_id ${t.uint32} not null`,
      `request ${t.text(4000)} not null`,
      `appended_at ${t.uint53} not null`,
      `consumed_at ${t.uint53}`,
    ],
    indexes: [
      { name: 'payment_log_order', columns: ['order_id'], unique: true },
      { name: 'payment_log_pending', columns: ['consumed_at', 'log_offset'] },
    ],
  };
}

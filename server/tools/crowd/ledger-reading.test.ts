import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogTables } from '../../src/catalog/catalog-tables.ts';
import { orderTables } from '../../src/checkout/sql-order-store.ts';
import { paymentLogTable } from '../../src/payment-log/sql-payment-log.ts';
import type { Database } from '../../src/platform/database.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { drawCommitment } from '../../src/waiting-room/draw-score.ts';
import { type LedgerPlace, readLedger } from './ledger-reading.ts';
import { TaskError } from '../tasks/task.ts';

const row = (seat: number, orderId: string) => ({ seat, orderId, ticketCode: `T${seat}` });
const at = (dataDir: string): [LedgerPlace] => [{ kind: 'sqlite', dataDir }];

describe('reading the ledger of a server that is running', () => {
  const seed = 'ab'.repeat(32);
  let folder: string;
  let database: Database;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'crowd-ledger-'));
    database = await openSqliteDatabase(folder, [...catalogTables, ...orderTables, paymentLogTable]);
    const run = (sql: string) => database.entities().getConnection().execute(sql);
    await run(`insert into venue_layouts values ('v', '{}')`);
    await run(`insert into shows (id, title, subtitle, description, venue_layout_id, starts_at, currency, prices, terms,
      draw_seed, paused) values (4, 't', 's', 'd', 'v', 0, 'EUR', '[]', '{}', '${seed}', 0)`);
    const order = (id: string, status: string, seats: string) =>
      run(
        `insert into orders values ('${id}', 4, 's-${id}', 1, 'key-${id}', '${status}', '${seats}', 0, 'EUR', 0, 0, '')`,
      );
    await order('a', 'confirmed', '[3,4]');
    await order('b', 'declined', '[5]');
    await run(`insert into sold_seats values (4, 3, 'a', 'T3'), (4, 4, 'a', 'T4')`);
  });

  afterEach(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });

  it('finds its sold seats and confirmed orders', async () => {
    expect(await readLedger(at(folder), 4, drawCommitment(seed))).toEqual({
      sold: [row(3, 'a'), row(4, 'a')],
      confirmed: [{ id: 'a', idempotencyKey: 'key-a', seats: [3, 4] }],
    });
  });

  it('refuses another server’s database, a missing one and a broken one', async () => {
    const commitment = drawCommitment(seed);
    await expect(readLedger(at(folder), 4, drawCommitment('cd'.repeat(32)))).rejects.toThrow(TaskError);
    await expect(readLedger(at(folder), 5, commitment)).rejects.toThrow(/another server/);
    await expect(readLedger(at(join(folder, 'nowhere')), 4, commitment)).rejects.toThrow(/--data/);
    const broken = mkdtempSync(join(tmpdir(), 'crowd-ledger-'));
    writeFileSync(
      join(broken, 'stampede.sqlite'),
      'this is no database at all, however long it may be'.repeat(40),
    );
    await expect(readLedger(at(broken), 4, commitment)).rejects.toThrow(TaskError);
    rmSync(broken, { recursive: true });
  });

  it('takes the first place that is the server’s, and says of each why it is not', async () => {
    const nowhere: LedgerPlace = { kind: 'sqlite', dataDir: join(folder, 'nowhere') };
    const off: LedgerPlace = {
      kind: 'mysql',
      url: 'mysql://me:secret@127.0.0.1:1/sale',
      name: 'DATABASE_URL',
    };
    const page = await readLedger([off, nowhere, ...at(folder)], 4, drawCommitment(seed));
    expect(page.sold).toHaveLength(2);
    const refusal = await readLedger([off, nowhere], 4, drawCommitment(seed)).catch(String);
    expect(refusal).toMatch(/mysql:\/\/127\.0\.0\.1:1\/sale can't be read: .*ECONNREFUSED.*; there is no /);
    expect(refusal).not.toContain('secret');
    const wrong: LedgerPlace = { kind: 'mysql', url: 'redis://x', name: '--database' };
    await expect(readLedger([wrong], 4, drawCommitment(seed))).rejects.toThrow(/^--database: [^\n]+$/);
  });
});

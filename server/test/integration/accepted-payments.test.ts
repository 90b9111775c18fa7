import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PaymentRequest } from '../../src/payment-log/payment-log.ts';
import { type PaymentRecord, PaymentRecords } from '../../src/payment-log/payment-record.ts';
import { paymentRequest } from '../contracts/payment-requests.ts';
import { ServerProcess } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';

const PAYMENT_TIME_MS = 60_000;
/** Longer ago than any payment may wait. */
const LONG_AGO_MS = 200_000;

const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 40_000, interval: 50 });

let dataDir: string;
let port: number;
let server: ServerProcess | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stampede-payments-'));
  port = await freePort();
});
afterEach(async () => {
  await server?.kill();
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts a server and returns what seals payments as it does. */
async function start(settings: Readonly<Record<string, string>> = {}): Promise<PaymentRecords> {
  const own = { PORT: String(port), HOST: '127.0.0.1', DATA_DIR: dataDir, DEMO: 'off', LOG_LEVEL: 'warn' };
  server = new ServerProcess({ ...own, PAYMENT_SUCCESS_RATE: '1', PAYMENT_DELAY_MIN_MS: '0', ...settings });
  await server.serving();
  const secret = await readFile(join(dataDir, 'payment-secret'), 'utf8');
  return new PaymentRecords([Buffer.from(secret.trim(), 'hex')]);
}

function rows(sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(join(dataDir, 'stampede.sqlite'));
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** Writes a record into the log as another process may. */
function put({ orderId, show }: PaymentRequest, { schema, text, mac }: PaymentRecord): void {
  const database = new DatabaseSync(join(dataDir, 'stampede.sqlite'), { timeout: 5_000 });
  const columns = 'order_id, show_id, request, form, mac, appended_at';
  database
    .prepare(`insert into payment_log (${columns}) values (?, ?, ?, ?, ?, 0)`)
    .run(orderId, show, text, schema, mac);
  database.close();
}

const payable = (more: Partial<PaymentRequest> = {}): PaymentRequest => {
  const now = Date.now();
  return paymentRequest({ createdAt: now, payBy: now + PAYMENT_TIME_MS, ...more });
};
const readiness = async (): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
  return { status: answer.status, text: await answer.text() };
};

describe('payments that a server finds in its log', () => {
  test('[P2] keys with a NUL among them: every one is settled, and the server is ready, also after a restart', async () => {
    const records = await start();
    const hostile = Array.from({ length: 64 }, (_, index) =>
      payable({ idempotencyKey: `NUL-\0-${String(index)}` }),
    );
    const honest = Array.from({ length: 20 }, () => payable());
    for (const request of [...hostile, ...honest]) put(request, records.write(request));
    await eventually(() => expect(rows("select id from orders where status = 'confirmed'")).toHaveLength(84));
    await eventually(() => expect(rows('select 1 from payment_log where consumed_at is null')).toEqual([]));
    await server?.kill();
    await start();
    expect((await readiness()).status).toBe(200);
  });

  test('[P6] one that none of its own wrote is put aside: no order, no charge', async () => {
    const records = await start();
    const [forged, honest] = [payable(), payable()];
    put(forged, new PaymentRecords([Buffer.from('a secret of somebody else')]).write(forged));
    put(honest, records.write(honest));
    await eventually(() =>
      expect(rows('select reason from payment_dead_letters')).toEqual([{ reason: 'forged' }]),
    );
    await eventually(() => expect(rows('select id from orders')).toEqual([{ id: honest.orderId }]));
  });

  test('[P2] one that waits for more than two minutes: the server is not ready and says why', async () => {
    const records = await start({ PAYMENT_DELAY_MIN_MS: '60000', PAYMENT_DELAY_MAX_MS: '60000' });
    expect((await readiness()).status).toBe(200);
    const stuck = payable({ createdAt: Date.now() - LONG_AGO_MS, payBy: Date.now() + PAYMENT_TIME_MS });
    put(stuck, records.write(stuck));
    await eventually(async () => {
      const { status, text } = await readiness();
      expect(status).toBe(503);
      expect(text).toContain('has waited for its settling');
    });
  });
});

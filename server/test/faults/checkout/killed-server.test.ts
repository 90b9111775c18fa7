import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { orderId, showId } from '../../../src/platform/ids.ts';
import { chargedOrders, openPayingHouse } from './paying-house.ts';

const LIVES = 6;
const LIFE_MS_MAX = 500;
const SHOW = showId(7);
/** Longer than the longest way of any payment here, redelivery included. */
const SETTLED_WITHIN_MS = 30_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stampede-killed-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Starts the server, lets it live for a while and kills it without warning; returns what it acknowledged. */
async function lifeOf(lifeMs: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'paying-process.ts');
  const server = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  const lines: string[] = [];
  const reading = createInterface({ input: server.stdout });
  const ready = new Promise<void>((resolve) => {
    reading.on('line', (line) => {
      if (line === 'ready') resolve();
      else lines.push(line);
    });
  });
  const allRead = once(reading, 'close');
  await Promise.race([ready, ended.then(() => Promise.reject(new Error('the server did not start')))]);
  await sleep(lifeMs);
  server.kill('SIGKILL');
  await Promise.all([ended, allRead]);
  return lines;
}

it('[P1][P2] killed again and again: every acknowledged order has one outcome, no seat two owners', async () => {
  const random = seededRandom(20_261);
  const acknowledged: string[] = [];
  for (let life = 0; life < LIVES; life++) acknowledged.push(...(await lifeOf(random() * LIFE_MS_MAX)));
  expect(acknowledged.length).toBeGreaterThan(LIVES);

  const { database, log, orders, relay, worker } = await openPayingHouse(directory);
  await worker.start();
  await relay.start();
  await vi.waitFor(
    async () => {
      expect(await log.pending(SHOW)).toEqual([]);
      expect(await orders.pendingOutbox(1, 0)).toEqual([]);
    },
    { timeout: SETTLED_WITHIN_MS, interval: 50 },
  );
  await worker.stop();
  await relay.stop();

  const found = await orders.byIds(acknowledged.map(orderId));
  expect(found.length).toBe(acknowledged.length);
  expect(new Set(found.map((order) => order.id))).toEqual(new Set(acknowledged));

  // Every order there is, acknowledged or killed just before: the database's books and the bank's must agree.
  const all = await orders.byIds(
    (await database.entities().execute<{ id: string }[]>('select id from orders')).map((row) =>
      orderId(row.id),
    ),
  );
  const confirmed = all.filter((order) => order.status === 'confirmed');
  expect(chargedOrders(directory)).toEqual(new Set(confirmed.map((order) => order.id)));
  const owned = confirmed.flatMap((order) => order.seats);
  expect(new Set(owned).size).toBe(owned.length);
  const sold = await orders.soldSeats(SHOW);
  expect(sold.map((row) => row.seat)).toEqual(owned.toSorted((a, b) => a - b));
  for (const order of confirmed) expect(order.tickets).toHaveLength(order.seats.length);

  const statuses = new Set(all.map((order) => order.status));
  expect(statuses).toEqual(new Set(['confirmed', 'declined', 'voided']));
  await database.close();
});

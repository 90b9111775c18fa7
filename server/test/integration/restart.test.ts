import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { newBearer } from '../../tools/shopper/shopper.ts';
import { prepareShows } from './app-stand-process.ts';
import { ServerProcess } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';
import { PRICES, visitedShow } from './app-stand-show.ts';
import { PlainSocket } from './app-stand-socket.ts';
import { KeenBuyer } from './stack/keen-buyer.ts';

const SECTION_SEATS = [100, 100, 100];
const SHOW = 1;
const VISITED = visitedShow(SHOW, SECTION_SEATS);
const BUYERS = 24;
const KILLS = 4;
const SETTLED_DEADLINE_MS = 45_000;
const POLL_MS = 20;
/** Some 15 s; a machine that is busy with other things starts servers slowly. */
const SALE_TIMEOUT_MS = 180_000;

let dataDir: string;
let port: number;
let server: ServerProcess;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stampede-restart-'));
  port = await freePort();
});
afterEach(async () => {
  await server.kill();
  await rm(dataDir, { recursive: true, force: true });
});

async function startServer(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  server = new ServerProcess({
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    DEMO: 'off',
    LOG_LEVEL: 'warn',
    PAYMENT_DELAY_MIN_MS: '100',
    PAYMENT_DELAY_MAX_MS: '1500',
    UNLIMITED_ADDRESSES: '127.0.0.1',
    ...settings,
  });
  await server.serving();
}

async function until(what: string, condition: () => boolean, withinMs = SETTLED_DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function isSettled({ buyer, accepted, settled }: KeenBuyer): boolean {
  const { view, hold } = buyer;
  if (view.connection.state !== 'open' || (hold && hold.payment !== 'none')) return false;
  return settled.length === accepted.size;
}

interface OrderRow {
  readonly id: string;
  readonly status: string;
  readonly seats: string;
  readonly idempotency_key: string;
}

/** What the database says, read from outside while the server runs. */
function readBooks() {
  const database = new DatabaseSync(join(dataDir, 'stampede.sqlite'), { readOnly: true });
  const orders = database
    .prepare('select id, status, seats, idempotency_key from orders')
    .all() as unknown as OrderRow[];
  const sold = database.prepare('select seat, order_id from sold_seats').all() as unknown as {
    seat: number;
    order_id: string;
  }[];
  database.close();
  return { orders, sold };
}

describe('a server that is killed in the middle of a sale', () => {
  test(
    '[P1] [P2] [P4] every accepted order ends once, no seat is sold twice, and buyers find their tickets',
    async () => {
      await prepareShows(dataDir, [
        { sectionSeats: SECTION_SEATS, sale: { seatsPerBuyer: 32, holdLifetimeMs: 20_000 } },
      ]);
      await startServer();
      const random = seededRandom(20_261);
      const buyers = await Promise.all(
        Array.from({ length: BUYERS }, (_, index) => KeenBuyer.start(port, VISITED, index + 1, 2)),
      );
      const acceptedBefore = () => buyers.reduce((sum, { accepted }) => sum + accepted.size, 0);

      for (let kill = 0; kill < KILLS; kill++) {
        // Somewhere in the middle: after a random number of orders more, and at any moment of their payments.
        const enough = acceptedBefore() + 3 + Math.floor(random() * 15);
        await until('the sale goes on', () => acceptedBefore() >= enough);
        await server.kill();
        await startServer();
      }
      await Promise.all(buyers.map((buyer) => buyer.finish()));
      await until('everything settled', () => buyers.every(isSettled));
      // A buyer hears of their order at once, everybody else of its seats with the next broadcast.
      const soldCount = readBooks().sold.length;
      await until('every map shows it', () =>
        buyers.every(({ buyer }) => buyer.soldSeats().length === soldCount),
      );
      expectOneOutcomeEach(buyers);
      for (const { buyer } of buyers) buyer.client.stop();
    },
    SALE_TIMEOUT_MS,
  );
});

function expectOneOutcomeEach(buyers: readonly KeenBuyer[]): void {
  const { orders, sold } = readBooks();
  const byId = new Map(orders.map((order) => [order.id, order]));
  expect(new Set(orders.map((order) => order.idempotency_key)).size).toBe(orders.length);
  const bought = orders.filter((order) => order.status === 'confirmed');
  const boughtSeats = bought.flatMap((order) =>
    (JSON.parse(order.seats) as number[]).map((seat) => `${seat}:${order.id}`),
  );
  expect(sold.map((row) => `${row.seat}:${row.order_id}`).toSorted()).toEqual(boughtSeats.toSorted());
  expect(new Set(sold.map((row) => row.seat)).size).toBe(sold.length);
  expect(bought.length).toBeGreaterThan(KILLS);

  for (const { person, buyer } of buyers) {
    for (const [key, id] of person.accepted) {
      const order = byId.get(id);
      expect(order?.idempotency_key).toBe(key);
      expect(buyer.order(id)).toMatchObject({ status: order?.status });
    }
    for (const { status, seats, tickets } of buyer.view.orders.values()) {
      expect(tickets).toHaveLength(status === 'confirmed' ? seats.length : 0);
    }
  }
}

describe('a server that is asked to stop', () => {
  test('8.4 SIGTERM: buyers are told to move, what was accepted is kept, and the process ends with 0', async () => {
    await prepareShows(dataDir, [{ sectionSeats: SECTION_SEATS }]);
    // The same bank before and after: whether a payment is taken up again in between is chance.
    const bank = { PAYMENT_SUCCESS_RATE: '1', PAYMENT_DELAY_MIN_MS: '300' };
    await startServer(bank);
    const bearer = await newBearer(port);
    const socket = await PlainSocket.open(port, { bearer });
    await socket.ask({ type: 'enter', show: SHOW });
    await socket.ask({ type: 'join', receipt: null });
    await until('admitted', () => socket.of('admitted').length > 0);
    const hold = await socket.ask({ type: 'hold', seats: [1] });
    const holdToken = hold.type === 'hold' ? hold.holdToken : 0;
    const checkout = {
      type: 'checkout',
      holdToken,
      idempotencyKey: 'last-minute',
      amount: PRICES[0],
    } as const;
    expect(await socket.ask(checkout)).toMatchObject({ order: { status: 'processing' } });

    const ended = server.stop();
    await until('word of it', () => socket.of('moving').length > 0);
    const toldAt = performance.now();
    expect(await socket.closed).toBe(4_000);
    // Whoever means to move at the last moment of the spread is not cut off before it.
    const [moving] = socket.of('moving');
    expect(performance.now() - toldAt).toBeGreaterThan((moving?.spreadMs ?? Infinity) - 50);
    expect(await ended).toMatchObject({ code: 0 });
    expect(socket.of('moving')).toHaveLength(1);

    await startServer(bank);
    const next = await PlainSocket.open(port, { bearer });
    await next.ask({ type: 'enter', show: SHOW });
    await until('the ticket', () => next.of('order').some(({ order }) => order.tickets.length === 1));
    expect(readBooks().sold).toMatchObject([{ seat: 1 }]);
    await next.close();
  });
});

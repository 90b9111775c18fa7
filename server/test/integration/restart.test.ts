import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { BearerOpened } from '@stampede/shared/protocol/http.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { socketsFrom } from '../../tools/crowd/sockets.ts';
import { freePort, prepareShows, ServerProcess } from './app-stand-process.ts';
import { PRICES } from './app-stand-show.ts';
import { PlainSocket } from './app-stand-socket.ts';

const SECTION_SEATS = [100, 100, 100];
const SEATS = 300;
const SHOW = 1;
const BUYERS = 24;
const KILLS = 4;
const SETTLED_DEADLINE_MS = 45_000;
const POLL_MS = 20;
const LOOK_ANEW_MS = 500;
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
  await server.selling();
}

async function newBearer(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/sessions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ bearer: true }),
  });
  return ((await answer.json()) as BearerOpened).bearer;
}

async function until(what: string, condition: () => boolean, withinMs = SETTLED_DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Somebody who buys again and again, whatever happens to the server, and remembers what they were promised. */
class KeenBuyer {
  readonly client: StampedeClient;
  /** Orders that the server said it had accepted, by idempotency key. */
  readonly accepted = new Map<string, string>();
  readonly #name: string;
  readonly #random: Random;
  #intents = 0;
  #isBuying = true;
  #done: Promise<void> = Promise.resolve();

  constructor(bearer: string, seed: number) {
    this.#name = `buyer-${seed}`;
    this.#random = seededRandom(seed);
    this.client = new StampedeClient({
      url: `ws://127.0.0.1:${port}/socket`,
      bearer,
      openSocket: socketsFrom(null, () => undefined),
      random: this.#random,
    });
  }

  start(): void {
    this.client.start();
    void this.client.enter(SHOW, { sections: SECTION_SEATS.map((seatCount) => ({ seatCount })) });
    void this.client.watch(SECTION_SEATS.map((_, section) => section));
    this.#done = this.#buy();
  }

  /** Begins nothing new; resolves when what was begun is over. */
  finish(): Promise<void> {
    this.#isBuying = false;
    return this.#done;
  }

  get isSettled(): boolean {
    const { connection, orders, hold } = this.client.view;
    if (connection.state !== 'open' || (hold && hold.payment !== 'none')) return false;
    return [...this.accepted.values()].every(
      (id) => (orders.get(id)?.status ?? 'processing') !== 'processing',
    );
  }

  get seatsSeenSold(): number {
    const shown = [...this.client.view.sections.values()].flatMap(({ statuses }) => [...statuses]);
    return shown.filter((status) => status === SOLD).length;
  }

  async #buy(): Promise<void> {
    const { view } = this.client;
    while (this.#isBuying) {
      if (view.standing.state !== 'admitted') {
        await this.client.join();
        await this.#change(() => view.standing.state === 'admitted');
      } else if (view.hold === null) {
        const first = Math.floor(this.#random() * (SEATS - 1));
        const answer = await this.client.hold([first, first + 1]);
        // Without a socket the answer comes at once, and asking again at once would leave no time to get one.
        if (!answer.ok && answer.code === 'disconnected')
          await this.#change(() => view.connection.state === 'open');
      } else if (view.hold.payment === 'none') {
        await this.#pay(view.hold.seats);
      } else {
        await this.#change(() => (view.hold?.payment ?? 'none') === 'none');
      }
    }
  }

  async #pay(seats: readonly number[]): Promise<void> {
    const amount = seats.reduce(
      (sum, seat) => sum + (PRICES[Math.floor(seat / 100) % PRICES.length] ?? 0),
      0,
    );
    const idempotencyKey = `${this.#name}-${(this.#intents += 1)}`;
    const answer = await this.client.checkout({ idempotencyKey, amount });
    if (answer.ok) this.accepted.set(idempotencyKey, answer.order.id);
    else await this.#change(() => this.client.view.hold === null);
  }

  /** Waits for something to become so, but not for ever: a lost socket has the buyer look anew. */
  async #change(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), LOOK_ANEW_MS);
    const stop = this.client.onChange(() => condition() && resolve(undefined));
    if (condition()) resolve(undefined);
    await promise;
    clearTimeout(timer);
    stop();
  }
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
      const bearers = await Promise.all(Array.from({ length: BUYERS }, newBearer));
      const buyers = bearers.map((bearer, index) => new KeenBuyer(bearer, index + 1));
      for (const buyer of buyers) buyer.start();
      const acceptedBefore = () => buyers.reduce((sum, { accepted }) => sum + accepted.size, 0);

      for (let kill = 0; kill < KILLS; kill++) {
        // Somewhere in the middle: after a random number of orders more, and at any moment of their payments.
        const enough = acceptedBefore() + 3 + Math.floor(random() * 15);
        await until('the sale goes on', () => acceptedBefore() >= enough);
        await server.kill();
        await startServer();
      }
      await Promise.all(buyers.map((buyer) => buyer.finish()));
      await until('everything settled', () => buyers.every((buyer) => buyer.isSettled));
      // A buyer hears of their order at once, everybody else of its seats with the next broadcast.
      const soldCount = readBooks().sold.length;
      await until('every map shows it', () => buyers.every((buyer) => buyer.seatsSeenSold === soldCount));
      expectOneOutcomeEach(buyers);
      for (const { client } of buyers) client.stop();
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

  for (const { accepted, client } of buyers) {
    for (const [key, id] of accepted) {
      const order = byId.get(id);
      expect(order?.idempotency_key).toBe(key);
      expect(client.view.orders.get(id)).toMatchObject({ status: order?.status });
    }
    for (const { status, seats, tickets } of client.view.orders.values()) {
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
    const bearer = await newBearer();
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

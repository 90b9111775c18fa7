import { NetworkTags } from '../../src/access/network-tag.ts';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { BuyerSessions, type SignedSession } from '../../src/access/buyer-session.ts';
import { SqlRecoveryStore } from '../../src/access/sql-recovery-store.ts';
import { TicketRecovery } from '../../src/access/ticket-recovery.ts';
import { RequestBudgets } from '../../src/access/request-budgets.ts';
import { type App, startApp } from '../../src/app.ts';
import type { Show } from '../../src/catalog/show.ts';
import { Catalog } from '../../src/catalog/catalog.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { hasTickets } from '../../src/checkout/list-orders.ts';
import { SimulatedPaymentGateway } from '../../src/payments/simulated-payment-gateway.ts';
import { MemoryCheckoutKeys } from '../../src/checkout/memory-checkout-keys.ts';
import { SqlOrderStore } from '../../src/checkout/sql-order-store.ts';
import { SqlPaymentLog } from '../../src/payment-log/sql-payment-log.ts';
import { readConfig } from '../../src/config.ts';
import { MemoryBusyShows } from '../../src/sale/memory-busy-shows.ts';
import type { Sale } from '../../src/sale/sale.ts';
import { StaticFiles } from '../../src/gateway/static-files.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { leaseOfTheOnlyProcess } from '../../src/platform/lease.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { MemorySeatStore } from '../../src/seating/memory-seat-store.ts';
import { MemoryShowFeed } from '../../src/feed/memory-show-feed.ts';
import { PlaceReceipts } from '../../src/waiting-room/place-receipts.ts';
import { MemoryWaitingRoomStore } from '../../src/waiting-room/memory-waiting-room-store.ts';
import { socketsFrom } from '../../tools/shopper/sockets.ts';
import { records } from '../contracts/payment-requests.ts';
import { allTables } from '../contracts/test-database.ts';
import { draftOf, DRAW_SEED, layoutOf, SECTION_SEATS, type StandShow } from './app-stand-show.ts';
import { PlainSocket, type SocketOptions } from './app-stand-socket.ts';

/** A condition that is not met after so much of the stand's time never is. */
const PATIENCE_MS = 10_000;
const STEP_MS = 50;
/** Long waits go in longer steps; still shorter than any interval of the server's jobs but the fastest. */
const LONG_STEP_MS = 200;
const SECRET = Buffer.alloc(32, 7);
const EPOCH_MAX = 2 ** 32;

export interface AppStandOptions {
  /** Default: one open show. */
  readonly shows?: readonly StandShow[];
  /** Settings by their names; without any, every payment succeeds after 100 ms of the stand's time. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A whole node in this process: the real app with the embedded adapters, SQLite in a folder of its own and real
 * sockets on a free port. Only time is ours: it passes in `pass` and `until`, and nowhere else.
 */
export class AppStand {
  readonly clock: ManualClock;
  readonly seats: MemorySeatStore;
  readonly shows: readonly Show[];
  readonly metrics: Metrics;
  /** Log records of level `error` and above: what broke, though no buyer may have noticed. */
  readonly errors: readonly string[];
  readonly #app: App;
  readonly #sessions: BuyerSessions;
  readonly #catalog: Catalog;
  readonly #catalogStore: SqlCatalogStore;
  readonly #remove: () => Promise<void>;
  readonly #clients = new Set<StampedeClient>();
  readonly #random = seededRandom(1);

  constructor(parts: {
    clock: ManualClock;
    seats: MemorySeatStore;
    metrics: Metrics;
    shows: readonly Show[];
    errors: readonly string[];
    app: App;
    sessions: BuyerSessions;
    catalog: Catalog;
    catalogStore: SqlCatalogStore;
    remove: () => Promise<void>;
  }) {
    this.clock = parts.clock;
    this.seats = parts.seats;
    this.metrics = parts.metrics;
    this.shows = parts.shows;
    this.errors = parts.errors;
    this.#app = parts.app;
    this.#sessions = parts.sessions;
    this.#catalog = parts.catalog;
    this.#catalogStore = parts.catalogStore;
    this.#remove = parts.remove;
  }

  get port(): number {
    return this.#app.port;
  }

  get opsPort(): number {
    return this.#app.opsPort;
  }

  /** Sockets that the server has open. */
  get socketCount(): number {
    return this.#app.socketCount;
  }

  show(index = 0): Show {
    const show = this.shows[index];
    if (!show) throw new Error(`the stand has no show ${index}`);
    return show;
  }

  sale(index = 0): Sale {
    const sale = this.#app.sales.get(this.show(index).id);
    if (!sale) throw new Error(`show ${index} is not live`);
    return sale;
  }

  async setPaused(index: number, paused: boolean): Promise<void> {
    const { id } = this.show(index);
    const version = this.#catalog.find(id)?.version ?? 0;
    const edited = await this.#catalogStore.edit(id, version, { paused });
    if (!edited.ok) throw new Error(`the show could not be edited: ${edited.why}`);
    await this.#catalog.look();
  }

  newSession(): SignedSession {
    return this.#sessions.create(this.clock.now());
  }

  /** A socket, by default of a new session that is told with the upgrade. */
  socket(options: SocketOptions = {}): Promise<PlainSocket> {
    return PlainSocket.open(this.port, { bearer: this.newSession().bearer, ...options });
  }

  /** A socket that nobody's session comes with. */
  anonymousSocket(options: SocketOptions = {}): Promise<PlainSocket> {
    return PlainSocket.open(this.port, options);
  }

  /** The protocol client of a session, connecting; it comes back at once when it loses its socket. */
  client(session: SignedSession = this.newSession()): StampedeClient {
    const client = new StampedeClient({
      url: `ws://127.0.0.1:${this.port}/socket`,
      bearer: session.bearer,
      openSocket: socketsFrom(null, () => undefined),
      clock: this.clock,
      random: this.#random,
    });
    client.start();
    this.#clients.add(client);
    return client;
  }

  /** A client that entered a show and watches all of it. */
  async visitor(session?: SignedSession, index = 0): Promise<StampedeClient> {
    const client = this.client(session);
    const { id, seatMap } = this.show(index);
    await this.during(client.enter(id, seatMap));
    await this.during(client.watch(seatMap.sections.map((section) => section.index)));
    return client;
  }

  /** A visitor who may take seats. */
  async shopper(session?: SignedSession, index = 0): Promise<StampedeClient> {
    const client = await this.visitor(session, index);
    await this.during(client.join());
    await this.until('admitted', () => client.view.standing.state === 'admitted');
    return client;
  }

  /** Lets time pass, with a turn of the event loop for each step so that what became due gets done. */
  async pass(ms: number): Promise<void> {
    const step = stepOf(ms);
    for (let left = ms; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await breathe();
    }
  }

  /** Lets time pass until something is so; returns the milliseconds of the stand's time that it took. */
  async until(what: string, condition: () => boolean, withinMs = PATIENCE_MS): Promise<number> {
    const since = this.clock.now();
    while (!condition()) {
      if (this.clock.now() - since >= withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      this.clock.advance(stepOf(withinMs));
      await breathe();
    }
    return this.clock.now() - since;
  }

  /** Lets time pass until a promise is settled. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = work.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    await this.until('an answer', () => isSettled);
    return settled;
  }

  /** What a newcomer is told of a seat. */
  seatStatus(client: StampedeClient, seat: number, index = 0): number | undefined {
    const { sectionOf, sections } = this.show(index).seatMap;
    const section = sectionOf[seat] ?? -1;
    return client.view.sections.get(section)?.statuses[seat - (sections[section]?.start ?? 0)];
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.stop();
    await this.during(this.#app.stop());
    await this.#remove();
  }
}

function stepOf(ms: number): number {
  return ms > PATIENCE_MS ? LONG_STEP_MS : STEP_MS;
}

/** Time for frames to travel: the server's and the clients' ends are both in this process. */
async function breathe(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 0));
}

export async function startAppStand({
  shows = [{}],
  settings = {},
}: AppStandOptions = {}): Promise<AppStand> {
  const clock = new ManualClock();
  const directory = await mkdtemp(join(tmpdir(), 'stampede-stand-'));
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: directory,
    PAYMENT_DELAY_MIN_MS: '100',
    PAYMENT_DELAY_MAX_MS: '100',
    PAYMENT_SUCCESS_RATE: '1',
    ...settings,
  });
  const database = await openSqliteDatabase(directory, allTables);
  const catalogStore = new SqlCatalogStore(database);
  await addShows(catalogStore, shows, clock.now());
  const errors: string[] = [];
  const logger = createLogger({
    level: 'error',
    readable: false,
    to: { write: (line) => void errors.push(line) },
  });
  const feed = new MemoryShowFeed({ nextTurn });
  const waitingRoom = new MemoryWaitingRoomStore((show, entry) => feed.publish(show, entry), clock);
  const seats = new MemorySeatStore({
    feed,
    admissions: waitingRoom,
    newEpoch: () => randomInt(1, EPOCH_MAX),
    clock,
  });
  const sessions = new BuyerSessions([SECRET]);
  const orders = new SqlOrderStore(database);
  const metrics = new Metrics(clock);
  const report = (message: string, cause: unknown): void => logger.error({ err: cause }, message);
  const catalog = new Catalog({
    outside: { clock, report },
    store: catalogStore,
    text: null,
    onRead: () => undefined,
  });
  const app = await startApp({
    config,
    outside: { clock, random: seededRandom(3), nextTurn, report },
    logger,
    sessions,
    recovery: new TicketRecovery({
      secret: SECRET,
      store: new SqlRecoveryStore(database),
      hasTickets: (session) => hasTickets(orders, session),
      clock,
    }),
    networks: new NetworkTags(SECRET, config.unlimitedAddresses),
    receipts: new PlaceReceipts([SECRET]),
    budgets: new RequestBudgets(config),
    readiness: { database: () => database.isReady() },
    // Memory loses nothing without the process.
    history: { onLost: () => undefined },
    keepLease: leaseOfTheOnlyProcess,
    files: new StaticFiles(new Map()),
    catalog,
    seats,
    feed,
    waitingRoom,
    busy: new MemoryBusyShows(),
    orders,
    checkoutKeys: new MemoryCheckoutKeys(clock),
    paymentLog: new SqlPaymentLog({
      database,
      records,
      outside: { clock, random: seededRandom(2), nextTurn, report },
    }),
    orderEvents: null,
    metrics,
    payments: new SimulatedPaymentGateway(
      {
        delayMinMs: config.paymentDelayMinMs,
        delayMaxMs: config.paymentDelayMaxMs,
        successShare: config.paymentSuccessRate,
      },
      clock,
    ),
  });
  const listed = catalog.list();
  for (const { id } of listed) await app.sales.look(id);
  const remove = async (): Promise<void> => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  };
  return new AppStand({
    clock,
    seats,
    metrics,
    shows: await Promise.all(listed.map(async ({ id }) => (await catalog.show(id))!)),
    errors,
    app,
    sessions,
    catalog,
    catalogStore,
    remove,
  });
}

export async function addShows(
  catalog: SqlCatalogStore,
  shows: readonly StandShow[],
  now: number,
): Promise<void> {
  for (const [index, show] of shows.entries()) {
    const { title = `Show ${index}`, sectionSeats = SECTION_SEATS, sale } = show;
    const venue = `house-${index}`;
    await catalog.addLayouts([layoutOf(venue, sectionSeats)]);
    await catalog.addShow(draftOf(title, venue, now, sale), DRAW_SEED);
  }
}

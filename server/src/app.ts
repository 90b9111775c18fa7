import type { Clock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { BuyerSessions } from './access/buyer-session.ts';
import type { NetworkTags } from './access/network-tag.ts';
import { SecurityEvents } from './access/security-events.ts';
import type { RequestBudgets } from './access/request-budgets.ts';
import type { TicketRecovery } from './access/ticket-recovery.ts';
import { CatalogWatch } from './catalog/catalog-watch.ts';
import type { CatalogStore } from './catalog/catalog-store.ts';
import { seatPrice } from './catalog/show.ts';
import { BeginCheckout } from './checkout/begin-checkout.ts';
import type { CheckoutKeys } from './checkout/checkout-keys.ts';
import { ListOrders } from './checkout/list-orders.ts';
import { OverdueCheckouts } from './checkout/overdue-checkouts.ts';
import type { OrderEvents } from './checkout/order-events.ts';
import type { OrderStore } from './checkout/order-store.ts';
import type { PaymentGateway } from './checkout/payment-gateway.ts';
import type { PaymentLog } from './checkout/payment-log.ts';
import { PaymentJobs } from './checkout/payment-jobs.ts';
import type { Config } from './config.ts';
import { BuyerRequests } from './gateway/buyer-requests.ts';
import { Gateway } from './gateway/gateway.ts';
import type { LiveSales } from './gateway/live-sales.ts';
import { readShows, readWaitingRooms } from './gateway/sale-readings.ts';
import type { StaticFiles } from './gateway/static-files.ts';
import { OpenShows } from './open-shows.ts';
import type { ShowId } from './platform/ids.ts';
import type { KeepLease } from './platform/lease.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import { type PartChecks, PartHealth } from './platform/part-health.ts';
import { type Report, sparingReport } from './platform/sparing-report.ts';
import { nextTurn } from './platform/turn.ts';
import { ReconciliationJob } from './reconciliation-job.ts';
import { HoldSeats } from './seating/hold-seats.ts';
import type { SeatStore } from './seating/seat-store.ts';
import type { ShowFeed } from './seating/show-feed.ts';
import { startGatewayJobs, startSchedulerJobs } from './sale-jobs.ts';
import type { WaitingRoomParts } from './waiting-room/join-waiting-room.ts';
import { finishVisit } from './waiting-room/leave-waiting-room.ts';
import type { PlaceReceipts } from './waiting-room/place-receipts.ts';
import type { WaitingRoomSettings } from './waiting-room/waiting-room-rules.ts';
import type { WaitingRoomStore } from './waiting-room/waiting-room-store.ts';

/** Everything an app stands on: the adapters behind the ports, and what the process gives. */
export interface AppParts {
  readonly config: Config;
  readonly metrics: Metrics;
  /** The fleet's time. */
  readonly clock: Clock;
  /** How far the machine's own is ahead of it. */
  readonly clockSkewSeconds?: () => number;
  readonly logger: Logger;
  readonly sessions: BuyerSessions;
  readonly recovery: TicketRecovery;
  readonly networks: NetworkTags;
  readonly receipts: PlaceReceipts;
  readonly budgets: RequestBudgets;
  readonly files: StaticFiles;
  readonly catalog: CatalogStore;
  readonly seats: SeatStore;
  readonly feed: ShowFeed;
  readonly waitingRoom: WaitingRoomStore;
  readonly orders: OrderStore;
  readonly paymentLog: PaymentLog;
  readonly checkoutKeys: CheckoutKeys;
  /** Null: nobody is told how orders ended but their buyers. */
  readonly orderEvents: OrderEvents | null;
  readonly payments: PaymentGateway;
  /** Whether the outside parts answer. */
  readonly readiness: PartChecks;
  /** Whether this process does what one of all does. */
  readonly keepLease: KeepLease;
  readonly history: {
    /** Registers who is told that the live stores lost a show and know nothing of it any more. */
    onLost(listener: (show: ShowId) => void): void;
  };
}

export interface App {
  /** The port buyers connect to. */
  readonly port: number;
  /** The port of readiness and metrics. */
  readonly opsPort: number;
  readonly sales: LiveSales;
  /** Buyers' sockets that are open. */
  readonly socketCount: number;
  /** Finishes what is under way, takes nothing new, and resolves when the process may end. */
  stop(): Promise<void>;
}

/** Outbox records are counted up to this: more are as alarming. */
const OUTBOX_COUNTED_MAX = 1_000;
/** An organiser who pauses a sale, in the database say, is not to see it sell for seconds. */
const CATALOG_INTERVAL_MS = 1_000;
/** How often a node that is left looks whether everybody has gone. */
const LEFT_CHECK_MS = 50;

/**
 * Starts a node: opens every show, then does what its roles ask for. A worker takes up the payments that an earlier
 * process left before any buyer is served. Rejects with `ListenError` if the port can't be had.
 */
export async function startApp(parts: AppParts): Promise<App> {
  const { config, clock, logger } = parts;
  const { roles } = config;
  const report = (message: string, cause: unknown): void => logger.error({ err: cause }, message);
  const { metrics } = parts;
  const gateway = new Gateway((frames, bytes) => metrics.countFrames(frames, bytes));
  const { waitingRoom: store, receipts } = parts;
  const waitingRoom = { store, settings: waitingRoomSettings(config), receipts };
  const shows = new OpenShows({
    ...parts,
    audience: gateway.audience,
    waitingRoomSettings: waitingRoom.settings,
    countSeatChanges: (count) => metrics.seatChanges.add(count),
  });
  const sales = await shows.openAll();
  parts.history.onLost(
    (show) => void shows.reopen(show).catch((cause: unknown) => report('reopening failed', cause)),
  );

  const stops: (() => Promise<void>)[] = [];
  const stopJobs = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) {
      // One that fails is no reason to cut the others off.
      await stop().catch((cause: unknown) => report('a job could not be ended', cause));
    }
  };
  const watch = watchCatalog(parts, shows, sales, report);
  stops.push(() => watch.stop());
  const sparing = sparingReport(report, clock);
  const reconciliation = new ReconciliationJob({
    ...parts,
    sales: () => sales.list(),
    onMended: (kind, count) => metrics.mended.add(kind, count),
    report: sparing,
  });
  metrics.addReadings({
    socketsOpen: () => gateway.socketCount,
    clockSkewSeconds: parts.clockSkewSeconds,
    shows: () => readShows(sales.list()),
    waitingRooms: () => readWaitingRooms(sales.list(), parts.waitingRoom),
    reconciliationDifference: () => reconciliation.differences,
    outboxPending: async () => (await parts.orders.pendingOutbox(OUTBOX_COUNTED_MAX, 0)).length,
  });
  const countAdmissions = (count: number): void => metrics.admissions.add(count);
  const checkouts = new OverdueCheckouts({ ...parts, log: parts.paymentLog, report: sparing });
  const jobParts = { waitingRoom, clock, report: sparing, countAdmissions };
  const saleJobs = { sales, seats: parts.seats, checkouts, ...jobParts };
  const health = new PartHealth(parts.readiness, clock);
  try {
    await health.start();
    stops.push(() => health.stop());
    if (roles.has('worker')) {
      const payments = paymentJobs(parts, waitingRoom, sales, report);
      stops.push(() => payments.stop());
      await payments.start();
    }
    if (roles.has('scheduler')) stops.push(startSchedulerJobs(saleJobs), reconciliation.start());
    if (roles.has('gateway')) stops.push(startGatewayJobs(saleJobs));
    return await open(parts, { gateway, sales, waitingRoom, health, stopJobs, report });
  } catch (cause) {
    await stopJobs();
    throw cause;
  }
}

/** Sells what is added to the catalogue, and goes on with what is changed in it, on whichever node that happens. */
function watchCatalog(
  { catalog, clock }: AppParts,
  shows: OpenShows,
  sales: LiveSales,
  report: Report,
): CatalogWatch {
  const watch = new CatalogWatch(
    {
      catalog,
      clock,
      intervalMs: CATALOG_INTERVAL_MS,
      onAdded: (show) => shows.open(show),
      onChanged: async (show) => shows.change(show),
      onError: (show, cause) => report(`show ${show ?? 'list'} could not be read anew`, cause),
    },
    sales.list().map(({ show }) => show),
  );
  watch.start();
  return watch;
}

interface Started {
  readonly gateway: Gateway;
  readonly sales: LiveSales;
  readonly waitingRoom: WaitingRoomParts;
  readonly health: PartHealth;
  readonly stopJobs: () => Promise<void>;
  readonly report: Report;
}

/** Listens: for buyers if this node is a gateway, else for questions about its health. */
async function open(parts: AppParts, started: Started): Promise<App> {
  const { config, clock, logger } = parts;
  const { gateway, sales, health, stopJobs } = started;
  let isDraining = false;
  const readiness = {
    parts: () => ({ shows: true, ...health.parts() }),
    troubleOf: (name: string) => health.troubleOf(name),
    get isDraining() {
      return isDraining;
    },
  };
  const requests = buyerRequests(parts, started);
  const connection = {
    sales,
    requests,
    clock,
    logger,
    readBearer: (bearer: string) => readBearer(parts, bearer),
  };
  const events = new SecurityEvents(parts);
  const gatewayParts = { ...parts, ...config, shows: sales, readiness, connection, events };
  const ports = config.roles.has('gateway')
    ? await gateway.open(gatewayParts, config)
    : await gateway.openHealth(gatewayParts, config);
  return {
    ...ports,
    sales,
    get socketCount() {
      return gateway.socketCount;
    },
    async stop() {
      isDraining = true;
      const spreadMs = gateway.drain();
      await Promise.all([stopJobs(), everybodyGone(gateway, spreadMs, clock)]);
      for (const sale of sales.list()) sale.stop();
      gateway.close();
    },
  };
}

/** Resolves when the last socket is gone, or everybody has had the time to leave; HTTP is given a moment anyway. */
async function everybodyGone(gateway: Gateway, withinMs: number, clock: Clock): Promise<void> {
  let waitedMs = 0;
  do {
    await new Promise<void>((resolve) => clock.after(LEFT_CHECK_MS, resolve));
    waitedMs += LEFT_CHECK_MS;
  } while (waitedMs < withinMs && gateway.socketCount > 0);
}

function waitingRoomSettings(config: Config): WaitingRoomSettings {
  return {
    graceMs: config.waitingGraceSeconds * 1_000,
    claimMs: config.claimSeconds * 1_000,
    queueMax: config.queueMax,
    placesPerNetworkMax: config.placesPerNetworkMax,
  };
}

function readBearer({ sessions, clock }: AppParts, bearer: string) {
  const reading = sessions.readBearer(bearer, clock.now());
  return reading.kind === 'session' ? reading.session : 'stale';
}

function buyerRequests(parts: AppParts, { waitingRoom, sales, report }: Started): BuyerRequests {
  const { seats, orders, paymentLog, clock } = parts;
  const begin = new BeginCheckout({
    seats,
    keys: parts.checkoutKeys,
    log: paymentLog,
    orders,
    clock,
    nextTurn,
    report: sparingReport(report, clock),
  });
  const lists = new ListOrders({ orders, seats, nextTurn });
  return new BuyerRequests({
    waitingRoom,
    seats,
    holdSeats: new HoldSeats(seats, nextTurn),
    counts: parts.metrics,
    checkout: {
      begin: ({ show, seatRules }, intent) => begin.run(show, seatRules, intent),
      list: (session, show) => lists.run(session, show ? [show] : sales.list().map((sale) => sale.show)),
    },
    clock,
  });
}

function paymentJobs(
  parts: AppParts,
  waitingRoom: WaitingRoomParts,
  sales: LiveSales,
  report: Report,
): PaymentJobs {
  const { orders, seats, payments: gateway, paymentLog: log, clock } = parts;
  return new PaymentJobs({
    log,
    orders,
    seats,
    gateway,
    events: parts.orderEvents ?? undefined,
    settled: (status, tookMs) => parts.metrics.countSettled(status, tookMs),
    seatRules: (show) => sales.get(show)?.seatRules ?? null,
    priceOf: ({ show: id, seats: asked }) => {
      const show = sales.get(id)?.show;
      return show ? asked.reduce((sum, seat) => sum + seatPrice(show, seat), 0) : null;
    },
    finished: async ({ show: id, session, createdAt }) => {
      const show = sales.get(id)?.show;
      if (show) await finishVisit(waitingRoom, show, session, createdAt);
    },
    clock,
    random: systemRandom,
    nextTurn,
    report,
  });
}

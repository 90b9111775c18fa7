import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { BuyerSessions } from './access/buyer-session.ts';
import type { NetworkTags } from './access/network-tag.ts';
import { SecurityEvents } from './access/security-events.ts';
import type { RequestBudgets } from './access/request-budgets.ts';
import type { TicketRecovery } from './access/ticket-recovery.ts';
import type { Catalog } from './catalog/catalog.ts';
import { seatPrice } from './catalog/show.ts';
import { BeginCheckout } from './checkout/begin-checkout.ts';
import type { CheckoutKeys } from './checkout/checkout-keys.ts';
import { ListOrders } from './checkout/list-orders.ts';
import { OverdueCheckouts } from './checkout/overdue-checkouts.ts';
import type { OrderStore } from './checkout/order-store.ts';
import type { PaymentGateway } from './payments/payment-gateway.ts';
import type { PaymentLog, PaymentRequest } from './payment-log/payment-log.ts';
import { PaymentWorker } from './checkout/payment-worker.ts';
import { type OrderEvents, Settlements } from './checkout/settlements.ts';
import type { Config } from './config.ts';
import { BuyerRequests } from './sale/buyer-requests.ts';
import { Gateway } from './gateway/gateway.ts';
import { Sales } from './sale/sales.ts';
import type { BusyShows } from './sale/busy-shows.ts';
import type { StaticFiles } from './gateway/static-files.ts';
import type { ShowId } from './platform/ids.ts';
import type { KeepLease } from './platform/lease.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Outside } from './platform/outside.ts';
import { type PartChecks, PartHealth } from './platform/part-health.ts';
import { pause } from './platform/retry.ts';
import { sparingReport } from './platform/outside.ts';
import { ReconciliationJob } from './sale/reconciliation-job.ts';
import type { SeatStore } from './seating/seat-store.ts';
import type { ShowFeed } from './feed/show-feed.ts';
import { startSaleJobs } from './sale/sale-jobs.ts';
import { rulesOf, type WaitingRoomParts, type WaitingRoomSettings } from './waiting-room/waiting-room.ts';
import type { PlaceReceipts } from './waiting-room/place-receipts.ts';
import type { WaitingRoomStore } from './waiting-room/waiting-room-store.ts';

/** Everything an app stands on: the adapters behind the ports, and what the process gives. */
export interface AppParts {
  readonly config: Config;
  readonly metrics: Metrics;
  /** Its clock is the fleet's time. */
  readonly outside: Outside;
  /** How far the machine's own is ahead of it. */
  readonly clockSkewSeconds?: () => number;
  readonly logger: Logger;
  readonly sessions: BuyerSessions;
  readonly recovery: TicketRecovery;
  readonly networks: NetworkTags;
  readonly receipts: PlaceReceipts;
  readonly budgets: RequestBudgets;
  readonly files: StaticFiles;
  readonly catalog: Catalog;
  readonly seats: SeatStore;
  readonly feed: ShowFeed;
  readonly waitingRoom: WaitingRoomStore;
  readonly busy: BusyShows;
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
  readonly sales: Sales;
  /** Buyers' sockets that are open. */
  readonly socketCount: number;
  /** Finishes what is under way, takes nothing new, and resolves when the process may end. */
  stop(): Promise<void>;
}

/** Outbox records are counted up to this: more are as alarming. */
const OUTBOX_COUNTED_MAX = 1_000;
/** How often a node that is left looks whether everybody has gone. */
const LEFT_CHECK_MS = 50;

/**
 * Starts a node: reads the catalogue, then does what its roles ask for. A worker takes up the payments that an earlier
 * process left before any buyer is served. Rejects with `ListenError` if the port can't be had.
 */
export async function startApp(parts: AppParts): Promise<App> {
  const { config, outside } = parts;
  const { clock, report } = outside;
  /** For what is done again and again. */
  const sparing = { ...outside, report: sparingReport(outside) };
  const { roles } = config;
  const { metrics } = parts;
  const gateway = new Gateway((frames, bytes) => metrics.countFrames(frames, bytes));
  const { waitingRoom: store, receipts } = parts;
  const waitingRoom = { store, settings: waitingRoomSettings(config), receipts };
  const sales = new Sales({
    ...parts,
    outside: sparing,
    waitingRoom,
    seatsHeldPerAddressPercent: config.seatsHeldPerAddressPercent,
    audience: gateway.audience,
    countSeatChanges: (count) => metrics.seatChanges.add(count),
  });
  await parts.catalog.start();
  await sales.start();
  parts.history.onLost(
    (show) => void sales.reopen(show).catch((cause: unknown) => report('reopening failed', cause)),
  );

  /** The last one begun ends first; one that fails to is no reason to cut the others off. */
  const stops = new AsyncDisposableStack();
  const stopJobs = (): Promise<void> =>
    stops.disposeAsync().catch((cause: unknown) => report('jobs could not be ended', cause));
  stops.defer(() => parts.catalog.stop());
  const reconciliation = new ReconciliationJob({
    ...parts,
    outside: sparing,
    sales: () => sales.list(),
    onMended: (kind, count) => metrics.mended.add(kind, count),
  });
  metrics.addReadings({
    socketsOpen: () => gateway.socketCount,
    clockSkewSeconds: parts.clockSkewSeconds,
    shows: () => sales.list().map((sale) => sale.reading),
    waitingRooms: () => Promise.all(sales.list().map((sale) => sale.readRoom())),
    reconciliationDifference: () => reconciliation.differences,
    outboxPending: async () => (await parts.orders.pendingOutbox(OUTBOX_COUNTED_MAX, 0)).length,
  });
  const countAdmissions = (count: number): void => metrics.admissions.add(count);
  const checkouts = new OverdueCheckouts({ ...parts, log: parts.paymentLog, outside: sparing });
  const saleJobs = { sales, seats: parts.seats, checkouts, waitingRoom, outside: sparing, countAdmissions };
  // Whoever can ask finds the shows read.
  const health = new PartHealth({ shows: async () => true, ...parts.readiness }, clock);
  try {
    await health.start();
    stops.defer(() => health.stop());
    if (roles.has('worker')) {
      const { settlements, worker } = paymentJobs(parts, waitingRoom, sales, outside);
      // The relay first: outcomes that are final must be seen before anybody may take their seats.
      for (const job of [settlements, worker]) {
        stops.defer(() => job.stop());
        await job.start();
      }
    }
    const [serves, tells] = [roles.has('scheduler'), roles.has('gateway')];
    if (serves || tells) stops.defer(startSaleJobs(saleJobs, { serves, tells }));
    if (serves) stops.defer(reconciliation.start());
    return await open(parts, { gateway, sales, waitingRoom, health, stopJobs });
  } catch (cause) {
    await stopJobs();
    throw cause;
  }
}

interface Started {
  readonly gateway: Gateway;
  readonly sales: Sales;
  readonly waitingRoom: WaitingRoomParts;
  readonly health: PartHealth;
  readonly stopJobs: () => Promise<void>;
}

/** Listens: for buyers if this node is a gateway, else for questions about its health. */
async function open(parts: AppParts, started: Started): Promise<App> {
  const { config, logger, outside, sessions } = parts;
  const { clock } = outside;
  const { gateway, sales, health, stopJobs } = started;
  const connection = { sales, requests: buyerRequests(parts, started), sessions, clock, logger };
  const events = new SecurityEvents({ ...parts, clock });
  const gatewayParts = { ...parts, ...config, outside, shows: sales, readiness: health, connection, events };
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
      health.isDraining = true;
      const spreadMs = gateway.drain();
      await Promise.all([stopJobs(), everybodyGone(gateway, spreadMs, clock)]);
      sales.stop();
      gateway.close();
    },
  };
}

/** Resolves when the last socket is gone, or everybody has had the time to leave; HTTP is given a moment anyway. */
async function everybodyGone(gateway: Gateway, withinMs: number, clock: Clock): Promise<void> {
  let waitedMs = 0;
  do {
    await pause(clock, LEFT_CHECK_MS);
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

function buyerRequests(parts: AppParts, { waitingRoom, sales }: Started): BuyerRequests {
  const { seats, orders, paymentLog: log, checkoutKeys: keys, outside, metrics: counts } = parts;
  const sparing = { ...outside, report: sparingReport(outside) };
  return new BuyerRequests({
    ...{ waitingRoom, seats, counts, clock: outside.clock },
    checkout: new BeginCheckout({ seats, keys, log, orders, outside: sparing }),
    orders: new ListOrders({ orders, seats, outside }),
    shows: () => sales.list().map((sale) => sale.show),
  });
}

function paymentJobs(
  parts: AppParts,
  { store, settings }: WaitingRoomParts,
  sales: Sales,
  outside: Outside,
): { readonly settlements: Settlements; readonly worker: PaymentWorker } {
  const { orders, seats, payments: gateway, paymentLog: log } = parts;
  const settlements = new Settlements({
    outside,
    orders,
    seats,
    gateway,
    events: parts.orderEvents,
    settled: (status, tookMs) => parts.metrics.countSettled(status, tookMs),
    seatRules: (show) => sales.seatRules(show),
    finished: async ({ show: id, session, createdAt }) => {
      const show = sales.listed(id)?.show;
      if (show) await store.finish(rulesOf(show, settings), session, createdAt);
    },
  });
  const priceOf = async ({ show: id, seats: asked }: PaymentRequest): Promise<number | null> => {
    const show = await parts.catalog.show(id);
    return show ? asked.reduce((sum, seat) => sum + seatPrice(show, seat), 0) : null;
  };
  return { settlements, worker: new PaymentWorker({ outside, log, orders, gateway, settlements, priceOf }) };
}

import { randomUUID } from 'node:crypto';
import type { RecoveryStore } from './access/ticket-recovery.ts';
import { recoveryTable, SqlRecoveryStore } from './access/sql-recovery-store.ts';
import { secretsFor } from './access/session-secret.ts';
import type { AppParts } from './app.ts';
import { Catalog } from './catalog/catalog.ts';
import { catalogTables } from './catalog/catalog-tables.ts';
import { RedisCatalogText } from './catalog/redis-catalog-text.ts';
import { SqlCatalogStore } from './catalog/sql-catalog-store.ts';
import { MemoryCheckoutKeys } from './checkout/memory-checkout-keys.ts';
import { RedisCheckoutKeys } from './checkout/redis-checkout-keys.ts';
import { KafkaOrderEvents } from './checkout/kafka-order-events.ts';
import { KafkaPaymentLog } from './payment-log/kafka-payment-log.ts';
import { kafkaTopics } from './payment-log/kafka-topics.ts';
import { PAYMENT_COUNTS, type PaymentCount } from './payment-log/payment-deliveries.ts';
import type { PaymentLog } from './payment-log/payment-log.ts';
import { PaymentRecords } from './payment-log/payment-record.ts';
import { paymentTrouble } from './checkout/payment-terms.ts';
import { SimulatedPaymentGateway } from './payments/simulated-payment-gateway.ts';
import { orderTables, SqlOrderStore } from './checkout/sql-order-store.ts';
import { paymentLogTables, SqlPaymentLog } from './payment-log/sql-payment-log.ts';
import type { Config } from './config.ts';
import { type Database, databaseTime } from './platform/database.ts';
import { openMysqlDatabase } from './platform/database-mysql.ts';
import { openSqliteDatabase } from './platform/database-sqlite.ts';
import type { ShowId } from './platform/ids.ts';
import type { FleetClock, TimeTeller } from './platform/fleet-clock.ts';
import { connectKafka, type KafkaCredentials } from './platform/kafka.ts';
import { leaseOfTheOnlyProcess } from './platform/lease.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { PartChecks } from './platform/part-health.ts';
import { redisLeases } from './platform/redis-lease.ts';
import { connectRedis, type RedisClient, redisTime } from './platform/redis.ts';
import type { Outside } from './platform/outside.ts';
import { sparingReport } from './platform/outside.ts';
import { MemoryBusyShows } from './sale/memory-busy-shows.ts';
import { RedisBusyShows } from './sale/redis-busy-shows.ts';
import { MemorySeatStore } from './seating/memory-seat-store.ts';
import { MemoryShowFeed } from './feed/memory-show-feed.ts';
import { liveSeatTables } from './seating/mysql-seat-tables.ts';
import { newEpochs } from './feed/show-feed.ts';
import { RedisSeatStore } from './seating/redis-seat-store.ts';
import { RedisShowFeed } from './feed/redis-show-feed.ts';
import { MemoryWaitingRoomStore } from './waiting-room/memory-waiting-room-store.ts';
import { RedisWaitingRoomStore } from './waiting-room/redis-waiting-room-store.ts';

type LivePorts = Pick<AppParts, 'seats' | 'feed' | 'waitingRoom' | 'busy' | 'checkoutKeys' | 'keepLease'>;
type Ports = LivePorts &
  Pick<AppParts, 'catalog' | 'orders' | 'paymentLog' | 'orderEvents' | 'payments' | 'readiness' | 'history'>;

/** What stands behind the ports. */
export interface Adapters extends Ports {
  readonly recoveries: RecoveryStore;
  readonly catalogStore: SqlCatalogStore;
  close(): Promise<void>;
}

interface Surroundings {
  readonly config: Config;
  /** An absolute path. */
  readonly dataDir: string;
  readonly outside: Outside;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Opens what the settings ask for: each outside part on its own, and its embedded default where its setting is
 * absent. Waits for parts that are not there yet; rejects with `ConfigError` or `DatabaseError` where waiting
 * can't help.
 */
export async function openAdapters(surroundings: Surroundings, clock: FleetClock): Promise<Adapters> {
  const { config, outside } = surroundings;
  const closings = new AsyncDisposableStack();
  const database = await openDatabase(surroundings);
  closings.defer(() => database.close());
  const history = new HistoryAlarm();
  const live = await openLivePorts(surroundings, history, closings);
  const teller = timeTeller(config, database, live.redis);
  if (teller) closings.defer(await clock.follow(teller));
  const catalogStore = new SqlCatalogStore(database);
  const payments = await openPaymentPorts(surroundings, database, closings);
  return {
    ...live.ports,
    ...payments,
    history,
    catalogStore,
    catalog: new Catalog({
      outside: { clock, report: sparingReport(outside) },
      store: catalogStore,
      text: live.redis && new RedisCatalogText(live.redis),
      onRead: (layer) => surroundings.metrics.catalogReads.add(layer),
    }),
    orders: new SqlOrderStore(database),
    recoveries: new SqlRecoveryStore(database),
    payments: new SimulatedPaymentGateway(
      {
        delayMinMs: config.paymentDelayMinMs,
        delayMaxMs: config.paymentDelayMaxMs,
        successShare: config.paymentSuccessRate,
      },
      clock,
    ),
    readiness: {
      database: () => database.isReady(),
      clock: async () => clock.trouble ?? true,
      payments: async () => paymentTrouble(payments.paymentLog.oldestAt, clock.now()) ?? true,
      ...live.readiness,
    },
    close: () => closings.disposeAsync(),
  };
}

/** Who tells this node's time: what decides on seats, else what its orders are in; null where it shares nothing. */
function timeTeller(
  { databaseUrl }: Config,
  database: Database,
  redis: RedisClient | null,
): TimeTeller | null {
  if (redis) return { name: 'Redis', read: () => redisTime(redis) };
  if (databaseUrl !== null) return { name: 'the database', read: () => databaseTime(database.entities()) };
  return null;
}

/** Passes on that a store lost its history, to whoever can set it up anew. */
class HistoryAlarm {
  #listener: (show: ShowId) => void = () => undefined;

  onLost(listener: (show: ShowId) => void): void {
    this.#listener = listener;
  }

  readonly ring = (show: ShowId): void => this.#listener(show);
}

/** Brings the tables up to date and opens nothing. */
export async function migrateOnly(surroundings: Omit<Surroundings, 'metrics'>): Promise<void> {
  const database = await openDatabase(surroundings);
  await database.close();
}

/** Opens the payment log alone, for a tool that looks after it. */
export async function openPaymentLog(
  surroundings: Surroundings,
): Promise<{ readonly paymentLog: PaymentLog; readonly close: () => Promise<void> }> {
  const database = await openDatabase(surroundings);
  const closings = new AsyncDisposableStack();
  closings.defer(() => database.close());
  const { paymentLog } = await openPaymentPorts(surroundings, database, closings);
  return { paymentLog, close: () => closings.disposeAsync() };
}

function openDatabase({
  config,
  dataDir,
  outside,
  logger,
}: Omit<Surroundings, 'metrics'>): Promise<Database> {
  const tables = [...catalogTables, ...orderTables, ...paymentLogTables, ...liveSeatTables, recoveryTable];
  if (config.databaseUrl === null) return openSqliteDatabase(dataDir, tables);
  const onTrouble = (message: string): void => logger.warn(message);
  const migrations = config.migrate === 'off' ? 'await' : 'run';
  return openMysqlDatabase(config.databaseUrl, tables, {
    ...outside,
    onTrouble,
    migrations,
  });
}

async function openLivePorts(
  { config, outside, logger, metrics }: Surroundings,
  history: HistoryAlarm,
  closings: AsyncDisposableStack,
): Promise<{ ports: LivePorts; redis: RedisClient | null; readiness: PartChecks }> {
  const { clock } = outside;
  const newEpoch = newEpochs(outside.random);
  if (config.redisUrl === null) {
    const feed = new MemoryShowFeed(outside);
    const waitingRoom = new MemoryWaitingRoomStore((show, entry) => feed.publish(show, entry), clock);
    const seats = new MemorySeatStore({ feed, admissions: waitingRoom, newEpoch, clock });
    const checkoutKeys = new MemoryCheckoutKeys(clock);
    const busy = new MemoryBusyShows();
    const ports = { seats, feed, waitingRoom, busy, checkoutKeys, keepLease: leaseOfTheOnlyProcess };
    return { ports, redis: null, readiness: {} };
  }
  const onTrouble = (message: string): void => logger.warn(message);
  const connection = await connectRedis(config.redisUrl, { ...outside, onTrouble });
  closings.defer(() => connection.close());
  const feed = new RedisShowFeed({
    connection,
    outside,
    newEpoch,
    onHistoryLost: history.ring,
    onUnknownNotice: () => metrics.unknownNotices.add(),
    onTrouble: (cause) => logger.warn({ err: cause }, 'the feed is late'),
  });
  closings.defer(() => feed.close());
  const redis = connection.client;
  return {
    ports: {
      seats: new RedisSeatStore({
        redis,
        outside,
        newEpoch,
        knownEpoch: (show) => feed.epochOf(show),
        onHistoryLost: history.ring,
      }),
      feed,
      waitingRoom: new RedisWaitingRoomStore(redis, outside),
      busy: new RedisBusyShows(redis),
      checkoutKeys: new RedisCheckoutKeys(redis),
      keepLease: redisLeases(redis, randomUUID()),
    },
    redis,
    readiness: { redis: () => redis.ping().then(() => true) },
  };
}

interface PaymentPorts extends Pick<AppParts, 'orderEvents'> {
  readonly paymentLog: SqlPaymentLog | KafkaPaymentLog;
}

async function openPaymentPorts(
  { config, dataDir, outside, logger, metrics }: Surroundings,
  database: Database,
  closings: AsyncDisposableStack,
): Promise<PaymentPorts> {
  const records = new PaymentRecords(await secretsFor('payment', config.paymentSecret, dataDir));
  const help = 'Accepted payments, by what happened to them on their way to a worker.';
  const counts = metrics.tallies('stampede_payments_total', help, 'step', PAYMENT_COUNTS);
  const count = (what: PaymentCount, payments: number): void => counts.add(what, payments);
  if (config.kafkaBrokers.length === 0) {
    const paymentLog = new SqlPaymentLog({ outside, database, records, count });
    return { paymentLog, orderEvents: null };
  }
  const topics = kafkaTopics(config.kafkaTopicPrefix);
  const kafka = await connectKafka(
    { brokers: config.kafkaBrokers, tls: config.kafkaTls === 'on', credentials: kafkaCredentials(config) },
    [topics.paymentRequests, topics.deadLetters, topics.orderEvents],
    { ...outside, logger, onTrouble: (message) => logger.warn(message) },
  );
  const parts = { outside, kafka, topics };
  const paymentLog = new KafkaPaymentLog({ ...parts, records, count });
  const orderEvents = new KafkaOrderEvents(topics.orderEvents.name, parts);
  closings.defer(() => paymentLog.close());
  closings.defer(() => orderEvents.close());
  await paymentLog.open();
  return { paymentLog, orderEvents };
}

function kafkaCredentials({ kafkaMechanism, kafkaUsername, kafkaPassword }: Config): KafkaCredentials | null {
  if (kafkaUsername === null) return null;
  return { mechanism: kafkaMechanism, username: kafkaUsername, password: kafkaPassword ?? '' };
}

import { randomUUID } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { RecoveryStore } from './access/recovery-store.ts';
import { recoveryTable } from './access/recovery-table.ts';
import { SqlRecoveryStore } from './access/sql-recovery-store.ts';
import { paymentSecrets } from './access/session-secret.ts';
import type { AppParts } from './app.ts';
import { CachedCatalogStore } from './catalog/cached-catalog-store.ts';
import { catalogTables } from './catalog/catalog-tables.ts';
import { MemoryCatalogCache } from './catalog/memory-catalog-cache.ts';
import { RedisCatalogCache } from './catalog/redis-catalog-cache.ts';
import { SqlCatalogStore } from './catalog/sql-catalog-store.ts';
import { MemoryCheckoutKeys } from './checkout/memory-checkout-keys.ts';
import { RedisCheckoutKeys } from './checkout/redis-checkout-keys.ts';
import { orderTables } from './checkout/order-tables.ts';
import { KafkaOrderEvents } from './checkout/kafka-order-events.ts';
import { KafkaPaymentLog } from './checkout/kafka-payment-log.ts';
import { kafkaTopics } from './checkout/kafka-topics.ts';
import { paymentLogTables } from './checkout/payment-log-table.ts';
import type { PaymentCount } from './checkout/payment-deliveries.ts';
import { PaymentRecords } from './checkout/payment-record.ts';
import { paymentTrouble } from './checkout/payment-terms.ts';
import { SimulatedPaymentGateway } from './checkout/simulated-payment-gateway.ts';
import { SqlOrderStore } from './checkout/sql-order-store.ts';
import { SqlPaymentLog } from './checkout/sql-payment-log.ts';
import type { Config } from './config.ts';
import type { Database } from './platform/database.ts';
import { openMysqlDatabase } from './platform/database-mysql.ts';
import { openSqliteDatabase } from './platform/database-sqlite.ts';
import type { ShowId } from './platform/ids.ts';
import { databaseTime } from './platform/database-time.ts';
import type { FleetClock, TimeTeller } from './platform/fleet-clock.ts';
import { connectKafka, type KafkaCredentials } from './platform/kafka.ts';
import { leaseOfTheOnlyProcess } from './platform/lease.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { PartChecks } from './platform/part-health.ts';
import { redisLeases } from './platform/redis-lease.ts';
import { connectRedis, type RedisClient, redisTime } from './platform/redis.ts';
import { nextTurn } from './platform/turn.ts';
import { MemorySeatStore } from './seating/memory-seat-store.ts';
import { MemoryShowFeed } from './seating/memory-show-feed.ts';
import { liveSeatTables } from './seating/mysql-seat-tables.ts';
import { newEpochs } from './seating/new-epoch.ts';
import { RedisSeatStore } from './seating/redis-seat-store.ts';
import { RedisShowFeed } from './seating/redis-show-feed.ts';
import { MemoryWaitingRoomStore } from './waiting-room/memory-waiting-room-store.ts';
import { RedisWaitingRoomStore } from './waiting-room/redis-waiting-room-store.ts';

type LivePorts = Pick<AppParts, 'seats' | 'feed' | 'waitingRoom' | 'checkoutKeys' | 'keepLease'>;
type Ports = LivePorts &
  Pick<AppParts, 'catalog' | 'orders' | 'paymentLog' | 'orderEvents' | 'payments' | 'readiness' | 'history'>;

/** What stands behind the ports. */
export interface Adapters extends Ports {
  readonly recoveries: RecoveryStore;
  close(): Promise<void>;
}

interface DatabaseSurroundings {
  readonly config: Config;
  /** An absolute path. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Surroundings extends DatabaseSurroundings {
  readonly clock: FleetClock;
  readonly metrics: Metrics;
}

/**
 * Opens what the settings ask for: each outside part on its own, and its embedded default where its setting is
 * absent. Waits for parts that are not there yet; rejects with `ConfigError` or `DatabaseError` where waiting
 * can't help.
 */
export async function openAdapters(surroundings: Surroundings): Promise<Adapters> {
  const { config, clock } = surroundings;
  const closings: (() => void | Promise<void>)[] = [];
  const database = await openDatabase(surroundings);
  closings.push(() => database.close());
  const history = new HistoryAlarm();
  const live = await openLivePorts(surroundings, history, closings);
  const teller = timeTeller(config, database, live.redis);
  if (teller) closings.push(await clock.follow(teller));
  const catalog = await openCatalog(surroundings, database, live.redis);
  closings.push(() => catalog.settled());
  const payments = await openPaymentPorts(surroundings, database, closings);
  return {
    ...live.ports,
    ...payments,
    history,
    catalog,
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
    async close() {
      for (const close of closings.toReversed()) await close();
    },
  };
}

/**
 * The catalogue behind its cache. What an earlier database left in Redis is dropped first: it would answer for
 * another catalogue.
 */
async function openCatalog(
  { clock, logger, metrics }: Surroundings,
  database: Database,
  redis: RedisClient | null,
): Promise<CachedCatalogStore> {
  const cache = redis ? new RedisCatalogCache(redis, randomUUID) : new MemoryCatalogCache(clock, randomUUID);
  const catalog = new CachedCatalogStore({
    store: new SqlCatalogStore(database),
    cache,
    clock,
    random: systemRandom,
    onRead: (layer) => metrics.catalogReads.add(layer),
    report: (message, cause) => logger.error({ err: cause }, message),
  });
  await catalog.invalidate();
  return catalog;
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
export async function migrateOnly(surroundings: DatabaseSurroundings): Promise<void> {
  const database = await openDatabase(surroundings);
  await database.close();
}

function openDatabase({ config, dataDir, clock, logger }: DatabaseSurroundings): Promise<Database> {
  const tables = [...catalogTables, ...orderTables, ...paymentLogTables, ...liveSeatTables, recoveryTable];
  if (config.databaseUrl === null) return openSqliteDatabase(dataDir, tables);
  const onTrouble = (message: string): void => logger.warn(message);
  const migrations = config.migrate === 'off' ? 'await' : 'run';
  return openMysqlDatabase(config.databaseUrl, tables, {
    clock,
    random: systemRandom,
    onTrouble,
    migrations,
  });
}

async function openLivePorts(
  { config, clock, logger, metrics }: Surroundings,
  history: HistoryAlarm,
  closings: (() => void | Promise<void>)[],
): Promise<{ ports: LivePorts; redis: RedisClient | null; readiness: PartChecks }> {
  const newEpoch = newEpochs(systemRandom);
  if (config.redisUrl === null) {
    const feed = new MemoryShowFeed();
    const waitingRoom = new MemoryWaitingRoomStore((show, entry) => feed.publish(show, entry), clock);
    const seats = new MemorySeatStore({ feed, admissions: waitingRoom, newEpoch, clock });
    const checkoutKeys = new MemoryCheckoutKeys(clock);
    const ports = { seats, feed, waitingRoom, checkoutKeys, keepLease: leaseOfTheOnlyProcess };
    return { ports, redis: null, readiness: {} };
  }
  const random = systemRandom;
  const onTrouble = (message: string): void => logger.warn(message);
  const connection = await connectRedis(config.redisUrl, { clock, random, onTrouble });
  closings.push(() => connection.close());
  const feed = new RedisShowFeed({
    connection,
    clock,
    random,
    newEpoch,
    onHistoryLost: history.ring,
    onUnknownNotice: () => metrics.unknownNotices.add(),
    onTrouble: (cause) => logger.warn({ err: cause }, 'the feed is late'),
  });
  closings.push(() => feed.close());
  const redis = connection.client;
  return {
    ports: {
      seats: new RedisSeatStore({
        redis,
        newEpoch,
        knownEpoch: (show) => feed.epochOf(show),
        onHistoryLost: history.ring,
      }),
      feed,
      waitingRoom: new RedisWaitingRoomStore(redis),
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
  { config, dataDir, clock, logger, metrics }: Surroundings,
  database: Database,
  closings: (() => void | Promise<void>)[],
): Promise<PaymentPorts> {
  const random = systemRandom;
  const records = new PaymentRecords(await paymentSecrets(config.paymentSecrets, dataDir));
  const count = (what: PaymentCount, payments: number): void => metrics.payments.add(what, payments);
  const report = (message: string, cause: unknown): void => logger.error({ err: cause }, message);
  if (config.kafkaBrokers.length === 0) {
    const paymentLog = new SqlPaymentLog({ database, records, clock, random, nextTurn, report, count });
    return { paymentLog, orderEvents: null };
  }
  const topics = kafkaTopics(config.kafkaTopicPrefix);
  const kafka = await connectKafka(
    { brokers: config.kafkaBrokers, tls: config.kafkaTls === 'on', credentials: kafkaCredentials(config) },
    [topics.paymentRequests, topics.deadLetters, topics.orderEvents],
    { clock, random, logger, onTrouble: (message) => logger.warn(message) },
  );
  const parts = { kafka, topics, clock, random, nextTurn, report };
  const paymentLog = new KafkaPaymentLog({ ...parts, records, count });
  const orderEvents = new KafkaOrderEvents(parts);
  closings.push(
    () => paymentLog.close(),
    () => orderEvents.close(),
  );
  await paymentLog.open();
  return { paymentLog, orderEvents };
}

function kafkaCredentials({ kafkaMechanism, kafkaUsername, kafkaPassword }: Config): KafkaCredentials | null {
  if (kafkaUsername === null) return null;
  return { mechanism: kafkaMechanism, username: kafkaUsername, password: kafkaPassword ?? '' };
}

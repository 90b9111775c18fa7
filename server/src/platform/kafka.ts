import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { type Admin, Kafka, type KafkaConfig, type logCreator, logLevel, type SASLOptions } from 'kafkajs';
import { ConfigError } from './config-error.ts';
import { explainKafkaTrouble, kafkaSettingNames } from './kafka-trouble.ts';
import type { Logger } from './logger.ts';
import { type Backoff, type OpeningParts, openPatiently, retry, type RetryTerms } from './retry.ts';

export const KAFKA_MECHANISMS = ['scram-sha-512', 'scram-sha-256', 'plain'] as const;

export interface KafkaCredentials {
  readonly mechanism: (typeof KAFKA_MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

export interface KafkaSettings {
  /** `host:port` each, as `readKafkaBrokers` gives them. Any of one cluster; it names the others. */
  readonly brokers: readonly string[];
  readonly tls: boolean;
  /** Null: the brokers ask for no user. */
  readonly credentials: KafkaCredentials | null;
}

/** A topic as it is created where there is none of its name. */
export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
}

export interface KafkaParts extends OpeningParts {
  readonly logger: Logger;
}

export interface KafkaConnection {
  /**
   * A client of its own for one producer, consumer or admin: consumers of one group must not share one, because
   * kafkajs keeps the group's offsets in the client.
   */
  newClient(): Kafka;
}

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** Between two tries to reach the brokers, whatever for. */
export const KAFKA_RETRY: Backoff = { firstMs: 200, maxMs: 5_000 };
/** What kafkajs tries by itself before it tells us, who then start anew. */
const CLIENT_RETRY = { retries: 4, initialRetryTime: 100, maxRetryTime: 1_000 };
/** Some ten seconds. */
const TOPIC_SERVED: RetryTerms = { backoff: { firstMs: 100, maxMs: 100 }, attemptsMax: 130 };
/** Copies of a topic where the cluster has so many brokers; all but one of them must have a record that is acknowledged. */
const REPLICAS_MAX = 3;

const PORT = 9_092;
const PORT_MAX = 65_535;
const ADDRESS = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/** Addresses of brokers with the usual port added where none is given; throws on what isn't one. */
export function readKafkaBrokers(entries: readonly string[]): readonly string[] {
  return entries.map((entry) => {
    const [, host, port = String(PORT)] = ADDRESS.exec(entry) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > PORT_MAX) {
      throw new Error(`${entry} is no address of a broker`);
    }
    return `${host}:${port}`;
  });
}

/**
 * Connects to Kafka and sees to it that the topics are there. Tries until they are, with backoff. A topic that exists
 * is taken as it is; one with fewer partitions than planned is told of. Throws `ConfigError` where waiting can't help:
 * a user who is refused or may not create topics, TLS against plain text, a broker that is too old.
 */
export async function connectKafka(
  settings: KafkaSettings,
  topics: readonly TopicPlan[],
  parts: KafkaParts,
): Promise<KafkaConnection> {
  mendRequestQueue();
  const [first] = settings.brokers;
  if (first === undefined) {
    throw new ConfigError([
      { name: kafkaSettingNames.brokers, given: 'nothing', allowed: 'host:port, separated by commas' },
    ]);
  }
  const config = configOf(settings, parts.logger);
  await openPatiently(kafkaSettingNames.brokers, KAFKA_RETRY, parts, () =>
    probe(settings, config, topics, parts).catch((cause: unknown) => {
      throw explainKafkaTrouble(settings.brokers.join(', '), cause);
    }),
  );
  return { newClient: () => new Kafka(config) };
}

function configOf({ brokers, tls, credentials }: KafkaSettings, logger: Logger): KafkaConfig {
  return {
    clientId: 'stampede',
    brokers: [...brokers],
    ssl: tls,
    ...(credentials === null ? {} : { sasl: saslOf(credentials) }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: CLIENT_RETRY,
    logLevel: logger.isLevelEnabled('debug') ? logLevel.INFO : logLevel.NOTHING,
    logCreator: logCreatorOf(logger),
  };
}

/** kafkajs has a type for each mechanism, though all three want the same. */
function saslOf({ mechanism, username, password }: KafkaCredentials): SASLOptions {
  return { mechanism, username, password };
}

/**
 * kafkajs reports a broker that is away many times a second. Whoever uses it gets the error and says so once, so
 * the library's own words are for those who look for the details.
 */
function logCreatorOf(logger: Logger): logCreator {
  return () =>
    ({ namespace, label, log: { message, error, broker } }) => {
      const details: unknown = error instanceof Error ? error.message : error;
      logger.debug({ kafka: namespace, level: label, error: details, broker: broker as unknown }, message);
    };
}

async function probe(
  { brokers }: KafkaSettings,
  config: KafkaConfig,
  topics: readonly TopicPlan[],
  parts: KafkaParts,
): Promise<void> {
  // Each address once: kafkajs goes to the next one with every try.
  const admin = new Kafka({ ...config, retry: { ...CLIENT_RETRY, retries: brokers.length - 1 } }).admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    for (const { host, port } of cluster.brokers) await requireReachable(brokers, host, port);
    await provideTopics(admin, topics, Math.min(REPLICAS_MAX, cluster.brokers.length), parts);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** A cluster tells clients where its brokers are, and often tells an address that only brokers can reach. */
function requireReachable(brokers: readonly string[], host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const fail = (reason: string): void => {
    const advice = 'see its advertised.listeners';
    reject(new Error(`${brokers.join(', ')} names ${host}:${port} as a broker (${reason}): ${advice}`));
  };
  const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS })
    .once('connect', () => resolve(undefined))
    .once('timeout', () => fail('no answer'))
    .once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  return promise.finally(() => socket.destroy());
}

async function provideTopics(
  admin: Admin,
  plans: readonly TopicPlan[],
  replicas: number,
  parts: KafkaParts,
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = plans.filter(({ name }) => !existing.has(name));
  // Another node may create them at the same time, which is no error.
  if (missing.length > 0) {
    await admin.createTopics({
      topics: missing.map(({ name, partitions, retentionMs }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: replicas,
        configEntries: [
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'retention.ms', value: String(retentionMs) },
          { name: 'min.insync.replicas', value: String(Math.max(1, replicas - 1)) },
        ],
      })),
      waitForLeaders: false,
    });
  }
  for (const { name, partitions: planned } of plans) {
    const found = await partitionCount(admin, name, parts);
    if (!existing.has(name) || found >= planned) continue;
    parts.onTrouble(
      `Kafka topic ${name} has ${found} partitions, fewer than the ${planned} it would be created with`,
    );
  }
}

/** Waits until the leader of every partition serves it: for a topic just created, metadata promise it too early. */
async function partitionCount(admin: Admin, topic: string, parts: KafkaParts): Promise<number> {
  const served = await retry(parts, TOPIC_SERVED, () => admin.fetchTopicOffsets(topic));
  return served.length;
}

/** What is mended of kafkajs's queue of requests; the library gives it no type. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const isRequestQueue = (value: unknown): value is { readonly prototype: RequestQueue } =>
  typeof value === 'function' &&
  typeof (value as Partial<{ prototype: Partial<RequestQueue> }>).prototype?.scheduleCheckPendingRequests ===
    'function';

let isMended = false;

/**
 * Mends kafkajs 2.2.4, which after every answer sets a timer for requests that wait, though none does, and counts its
 * delay from a throttling that never was: minus the present time, which Node 24 warns of
 * (`TimeoutNegativeWarning`). A request that does wait gets its timer when it is queued, so with none waiting
 * nothing is to be set. Another release, whose queue looks different, is left as it is.
 */
function mendRequestQueue(): void {
  if (isMended) return;
  isMended = true;
  const queue: unknown = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  if (!isRequestQueue(queue)) return;
  const schedule = Reflect.get(queue.prototype, 'scheduleCheckPendingRequests');
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}

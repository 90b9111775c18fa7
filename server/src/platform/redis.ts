import type { Random } from '@stampede/shared/platform/random.ts';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { ConfigError } from './config-error.ts';
import { type Backoff, backoffMs, type OpeningParts, openPatiently } from './retry.ts';
import { type RedisAddress, redisAddresses, shownRedis } from './server-address.ts';

export type RedisClient = Redis | Cluster;
type Addresses = readonly [RedisAddress, ...RedisAddress[]];

export interface RedisConnection {
  /** For commands and scripts: any number of callers. */
  readonly client: RedisClient;
  readonly isCluster: boolean;
  /**
   * A connection of its own for commands that wait up to `waitMs`, to be made with `connect()` and ended with
   * `disconnect()` by the caller.
   */
  readonly waiting: (waitMs: number) => RedisClient;
  readonly close: () => void;
}

/** How long a command may take. Whoever clicked is told "busy" after that. */
const COMMAND_TIMEOUT_MS = 2_000;
/** Shorter than a command: on a cluster, commands wait while a node is being connected to, and must not run late. */
const CONNECT_TIMEOUT_MS = 1_500;
/** What a waiting command's answer may need on top of its waiting. */
const WAIT_MARGIN_MS = 3_000;
const RETRY: Backoff = { firstMs: 100, maxMs: 3_000 };
/** A node that took over is found within this without any command failing. */
const SLOTS_REFRESH_MS = 2_000;

const VERSION_MIN = [6, 2] as const;
const EVICTION = /^maxmemory_policy:(\S+)/m;
const VERSION = /redis_version:(\d+)\.(\d+)/;

/** The setting that a `RedisConnection` is made from, for messages. */
const SETTING = 'REDIS_URL';

/** What Redis says when waiting can't help, and what is allowed instead. */
const LASTING_TROUBLES: readonly (readonly [RegExp, string])[] = [
  [
    /^(WRONGPASS|NOAUTH|NOPERM)|invalid password|without any password configured/,
    'a user and password that Redis accepts',
  ],
  [/DB index is out of range|invalid DB index/i, 'a database number that this Redis has'],
  [/SELECT is not allowed in cluster mode/, 'no database number: a cluster has only one'],
];

/**
 * Connects to the Redis, or the Redis Cluster, that `REDIS_URL` names: one address, or several of one cluster,
 * separated by commas. Tries until it is there, with backoff. Throws `ConfigError` where waiting can't help: a URL
 * that is none, a password or database that is refused, a version before 6.2, a server that evicts.
 */
export async function connectRedis(urls: string, parts: OpeningParts): Promise<RedisConnection> {
  const addresses = redisAddresses(SETTING, urls);
  return openPatiently(SETTING, RETRY, parts, async () => open(addresses, await probeAny(addresses), parts));
}

/** The instant by Redis's clock, in milliseconds since the Unix epoch; of a cluster, by that of any of its nodes. */
export async function redisTime(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}

/** Looks at the addresses in turn until one answers: whether it is a node of a cluster. */
async function probeAny(addresses: Addresses): Promise<boolean> {
  let trouble: unknown;
  for (const address of addresses) {
    try {
      return await probe(address);
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      trouble ??= cause;
    }
  }
  throw trouble;
}

async function probe(address: RedisAddress): Promise<boolean> {
  const redis = new Redis({ ...optionsOf(address), enableReadyCheck: false, retryStrategy: null });
  const troubles: Error[] = [];
  redis.on('error', (error: Error) => void troubles.push(error));
  try {
    await redis.connect();
    const info = await redis.info();
    if (troubles[0]) throw troubles[0];
    if (/^loading:1/m.test(info)) throw new Error(`${shownRedis(address)} is still loading its data`);
    requireVersion(address, info);
    requireNoEviction(shownRedis(address), info);
    return info.includes('cluster_enabled:1');
  } catch (cause) {
    throw explained(address, troubles[0] ?? cause);
  } finally {
    redis.disconnect();
  }
}

function requireVersion(address: RedisAddress, info: string): void {
  const [, major, minor] = VERSION.exec(info) ?? [];
  const [majorMin, minorMin] = VERSION_MIN;
  if (Number(major) > majorMin || (Number(major) === majorMin && Number(minor) >= minorMin)) return;
  const given = `${shownRedis(address)} is Redis ${major ?? '?'}.${minor ?? '?'}`;
  throw new ConfigError([{ name: SETTING, given, allowed: `Redis ${majorMin}.${minorMin} or newer` }]);
}

/** What Redis throws away when its memory is full would be sold seats: they would be on sale again [P1]. */
function requireNoEviction(place: string, info: string): void {
  const policy = EVICTION.exec(info)?.[1] ?? 'noeviction';
  if (policy === 'noeviction') return;
  const given = `${place} has maxmemory-policy ${policy}`;
  throw new ConfigError([{ name: SETTING, given, allowed: 'a Redis with maxmemory-policy noeviction' }]);
}

/** Of those masters that answer: one that is away says nothing about the others' shows. */
async function requireNoEvictions(cluster: Cluster): Promise<void> {
  const masters = cluster.nodes('master');
  const answers = await Promise.allSettled(masters.map((node) => node.info('memory')));
  answers.forEach((answer, index) => {
    const { host = '', port = 0 } = masters[index]?.options ?? {};
    if (answer.status === 'fulfilled') requireNoEviction(`${host}:${port}`, answer.value);
  });
}

function explained(address: RedisAddress, cause: unknown): Error {
  if (cause instanceof ConfigError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  for (const [pattern, allowed] of LASTING_TROUBLES) {
    if (!pattern.test(message)) continue;
    const given = `${shownRedis(address)} answers "${message}"`;
    return new ConfigError([{ name: SETTING, given, allowed }], { cause });
  }
  return new Error(`${shownRedis(address)} can't be reached (${message})`, { cause });
}

/**
 * A command is sent at most once: nothing is queued while Redis is away, and what a broken connection left
 * unanswered is not sent again but fails at once. A hold that ran late, or twice, would be worse than none.
 */
function optionsOf(address: RedisAddress, commandTimeout = COMMAND_TIMEOUT_MS) {
  const { host, port, db, tls, username, password } = address;
  return {
    host,
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    lazyConnect: true,
    commandTimeout,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    // Answers keep one shape, whatever the server speaks.
    protocol: 2,
  } satisfies RedisOptions;
}

async function open(addresses: Addresses, isCluster: boolean, parts: OpeningParts): Promise<RedisConnection> {
  const create = (commandTimeoutMs: number): RedisClient => {
    const client = isCluster
      ? clusterOf(addresses, commandTimeoutMs, parts.random)
      : singleOf(addresses[0], commandTimeoutMs, parts.random);
    // Every command fails with its own error; this event only says the same again, and would end the process.
    client.on('error', (error: Error) => parts.onTrouble(`${SETTING}: ${error.message}`));
    return client;
  };
  const client = create(COMMAND_TIMEOUT_MS);
  try {
    await client.connect();
    // The one that was probed is one of many.
    if (client instanceof Cluster) await requireNoEvictions(client);
  } catch (cause) {
    client.disconnect();
    throw cause;
  }
  return {
    client,
    isCluster,
    waiting: (waitMs) => create(waitMs + WAIT_MARGIN_MS),
    close: () => client.disconnect(),
  };
}

function singleOf(address: RedisAddress, commandTimeoutMs: number, random: Random): Redis {
  return new Redis({
    ...optionsOf(address, commandTimeoutMs),
    retryStrategy: (attempt) => backoffMs(RETRY, attempt, random()),
  });
}

function clusterOf(addresses: Addresses, commandTimeoutMs: number, random: Random): Cluster {
  const { host: _host, port: _port, db: _db, ...redisOptions } = optionsOf(addresses[0], commandTimeoutMs);
  const options = {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    // With a delay, a command whose connection broke would be sent again though it may have run.
    retryDelayOnFailover: 0,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    clusterRetryStrategy: (attempt) => backoffMs(RETRY, attempt, random()),
    clusterNodeRetryStrategy: (attempt) => backoffMs(RETRY, attempt, random()),
  } satisfies ClusterOptions;
  return new Cluster(
    addresses.map(({ host, port }) => ({ host, port })),
    options,
  );
}

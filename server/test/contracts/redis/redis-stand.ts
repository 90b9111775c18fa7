import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { Redis } from 'ioredis';
import { connectRedis, type RedisConnection } from '../../../src/platform/redis.ts';
import type { NativeServer } from '../../../tools/stack/native-server.ts';
import { startRedisCluster } from '../../../tools/stack/redis-cluster.ts';

export interface ClusterServers {
  /** As `REDIS_URL` names them. */
  readonly urls: string;
  readonly nodes: readonly NativeServer[];
  remove(): Promise<void>;
}

/** Three masters that share the slots; those of one that is away are served by nobody, the others' go on. */
export async function startCluster(): Promise<ClusterServers> {
  const cluster = await startRedisCluster();
  for (const { url } of cluster.nodes) {
    await withNode(url, (redis) => redis.config('SET', 'cluster-require-full-coverage', 'no'));
  }
  const { nodes } = cluster;
  return { urls: nodes.map(({ url }) => url).join(','), nodes, remove: () => cluster.remove() };
}

export function connectTo(
  urls: string,
  onTrouble: (message: string) => void = () => undefined,
): Promise<RedisConnection> {
  return connectRedis(urls, { clock: systemClock, random: systemRandom, onTrouble });
}

/** Does something on a connection of its own, straight to one server. */
export async function withNode<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

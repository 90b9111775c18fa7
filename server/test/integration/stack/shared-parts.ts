import { Redis } from 'ioredis';
import { freshRedisDatabase, freshSharedDatabase, sharedServer } from '../../shared-servers.ts';
import type { FleetParts } from './fleet.ts';

/** Outside parts of one test file's own in the servers that all files share. */
export interface SharedParts extends FleetParts {
  /** What ran: "Redis 7.0.15, MySQL 9.7.4, Kafka 4.3.1". */
  readonly products: string;
  drop(): Promise<void>;
}

export async function freshSharedParts(): Promise<SharedParts> {
  const [redis, kafka, database] = await Promise.all([
    freshRedisDatabase(),
    sharedServer('kafka'),
    freshSharedDatabase(),
  ]);
  return {
    redisUrl: redis.url,
    databaseUrl: database.url,
    kafkaBrokers: kafka.url,
    products: [redis, database, kafka].map(({ product }) => product).join(', '),
    async drop() {
      await emptyRedis(redis.url);
      await database.drop();
    },
  };
}

/** Whatever the nodes kept there is lost. */
export async function emptyRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  await redis.flushdb();
  redis.disconnect();
}

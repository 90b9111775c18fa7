import type { KeepLease } from './lease.ts';
import { defineScript } from './lua-script.ts';
import { numberOf } from './redis-packing.ts';
import type { RedisClient } from './redis.ts';

const keepLease = defineScript<[owner: string, ms: number], boolean>(
  new URL('lua/keep-lease.lua', import.meta.url),
  (raw) => numberOf(raw) === 1,
);

/** Leases in Redis, which ends them by its own clock. `owner`: a name that no other process has. */
export function redisLeases(redis: RedisClient, owner: string): KeepLease {
  return (job, forMs) => keepLease.run(redis, () => `{lease:${job}}`, owner, forMs);
}

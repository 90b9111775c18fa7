import { type ShowId, showId } from '../platform/ids.ts';
import type { RedisClient } from '../platform/redis.ts';
import type { BusyShows } from './busy-shows.ts';

/** A sorted set: show by the instant at which it was last announced. */
const KEY = 'busy-shows';

export class RedisBusyShows implements BusyShows {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async announce(shows: readonly ShowId[], at: number): Promise<void> {
    if (shows.length === 0) return;
    await this.#redis.call('ZADD', [KEY, 'GT', ...shows.flatMap((show) => [String(at), String(show)])]);
  }

  async list(): Promise<ReadonlyMap<ShowId, number>> {
    const pairs = await this.#redis.zrange(KEY, '0', '-1', 'WITHSCORES');
    const shows = new Map<ShowId, number>();
    for (let at = 0; at + 1 < pairs.length; at += 2)
      shows.set(showId(Number(pairs[at])), Number(pairs[at + 1]));
    return shows;
  }

  async forget(show: ShowId): Promise<void> {
    await this.#redis.zrem(KEY, show);
  }
}

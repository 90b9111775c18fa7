import type { RedisClient } from '../platform/redis.ts';
import type { CatalogText } from './catalog.ts';

const KEY = '{catalog}:text';

/** The hash `{catalog}:text`: `version`, and the `text` of that version. */
export class RedisCatalogText implements CatalogText {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async read(version: number): Promise<string | null> {
    // The text is some kilobytes for each show, and asked for only where it is the right one.
    if ((await this.#redis.hget(KEY, 'version')) !== String(version)) return null;
    return this.#redis.hget(KEY, 'text');
  }

  async write(version: number, text: string): Promise<void> {
    await this.#redis.hset(KEY, { version, text });
  }

  async forget(): Promise<void> {
    await this.#redis.del(KEY);
  }
}

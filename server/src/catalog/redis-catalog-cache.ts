import { defineScript } from '../platform/lua-script.ts';
import { listOf, numberOf, PackingError } from '../platform/redis-packing.ts';
import type { RedisClient } from '../platform/redis.ts';
import {
  type CatalogCache,
  type CatalogEntry,
  ENTRY_KEPT_MS,
  type Glance,
  LEASE_MS,
  type LoadLease,
  type Stored,
} from './catalog-cache.ts';

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

const glanceAtCatalog = defineScript<
  [knownHash: string | false, loadedFrom: number, loadedUntil: number, token: string, leaseMs: number]
>()({
  file: lua('glance-at-catalog'),
  keys: ['entry', 'version', 'lease'],
  reply: (raw) => {
    const [hash, text, version] = listOf(raw);
    return {
      entry: hash === null ? null : { hash: textOf(hash), text: text === null ? null : textOf(text) },
      version: version === null ? null : numberOf(version),
    };
  },
});

const storeCatalog = defineScript<
  [
    token: string,
    version: number,
    hash: string,
    loadedAt: number,
    keptMs: number,
    leaseMs: number,
    text: Uint8Array,
  ]
>()({
  file: lua('store-catalog'),
  keys: ['entry', 'version', 'lease'],
  reply: (raw) => (typeof raw === 'number' ? raw : textOf(raw)),
});

const giveBackLease = defineScript<[token: string]>()({
  file: lua('give-back-lease'),
  keys: ['lease'],
  reply: () => undefined,
});

const invalidateCatalog = defineScript<[]>()({
  file: lua('invalidate-catalog'),
  keys: ['entry', 'version'],
  reply: () => undefined,
});

/** One hash tag: the scripts touch the keys together. */
const catalogKey = (key: string): string => `{catalog}:${key}`;

/** The shared catalogue in Redis: `entry` (hash, text, loaded-at), `version` (invalidations), `lease` (who loads). */
export class RedisCatalogCache implements CatalogCache {
  readonly #redis: RedisClient;
  readonly #newToken: () => string;

  /** @param newToken unique among all nodes */
  constructor(redis: RedisClient, newToken: () => string) {
    this.#redis = redis;
    this.#newToken = newToken;
  }

  async glance(knownHash: string | null, loadedFrom: number, loadedUntil: number): Promise<Glance> {
    const token = this.#newToken();
    const { entry, version } = await glanceAtCatalog.run(
      this.#redis,
      catalogKey,
      knownHash ?? false,
      loadedFrom,
      loadedUntil,
      token,
      LEASE_MS,
    );
    return { entry, lease: version === null ? null : { token, version } };
  }

  async store({ token, version }: LoadLease, { hash, text }: CatalogEntry, now: number): Promise<Stored> {
    const answer = await storeCatalog.run(
      this.#redis,
      catalogKey,
      token,
      version,
      hash,
      now,
      ENTRY_KEPT_MS,
      LEASE_MS,
      Buffer.from(text),
    );
    if (typeof answer === 'number') return { kind: 'outdated', lease: { token, version: answer } };
    return { kind: answer === 'stored' ? 'stored' : 'lost' };
  }

  async giveBack({ token }: LoadLease): Promise<void> {
    await giveBackLease.run(this.#redis, catalogKey, token);
  }

  async invalidate(): Promise<void> {
    await invalidateCatalog.run(this.#redis, catalogKey);
  }
}

/** Texts come as bytes outside of MessagePack. */
function textOf(value: unknown): string {
  if (!Buffer.isBuffer(value)) throw new PackingError('bytes', value);
  return value.toString();
}

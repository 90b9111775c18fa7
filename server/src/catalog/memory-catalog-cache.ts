import type { Clock } from '@stampede/shared/platform/clock.ts';
import {
  type CatalogCache,
  type CatalogEntry,
  type Glance,
  LEASE_MS,
  type LoadLease,
  type Stored,
} from './catalog-cache.ts';

/** A shared catalogue for the nodes of one process. */
export class MemoryCatalogCache implements CatalogCache {
  readonly #clock: Clock;
  readonly #newToken: () => string;
  #entry: (CatalogEntry & { readonly loadedAt: number }) | null = null;
  #lease: { readonly token: string; readonly endsAt: number } | null = null;
  #version = 0;

  constructor(clock: Clock, newToken: () => string) {
    this.#clock = clock;
    this.#newToken = newToken;
  }

  async glance(knownHash: string | null, loadedFrom: number, loadedUntil: number): Promise<Glance> {
    const entry = this.#entry;
    const isDue = !entry || entry.loadedAt < loadedFrom || entry.loadedAt > loadedUntil;
    return {
      entry: entry && { hash: entry.hash, text: entry.hash === knownHash ? null : entry.text },
      lease: isDue ? this.#claim() : null,
    };
  }

  async store({ token, version }: LoadLease, entry: CatalogEntry, now: number): Promise<Stored> {
    if (!this.#isHeldBy(token)) return { kind: 'lost' };
    if (version !== this.#version) {
      this.#lease = { token, endsAt: this.#clock.now() + LEASE_MS };
      return { kind: 'outdated', lease: { token, version: this.#version } };
    }
    this.#entry = { ...entry, loadedAt: now };
    this.#lease = null;
    return { kind: 'stored' };
  }

  async giveBack({ token }: LoadLease): Promise<void> {
    if (this.#isHeldBy(token)) this.#lease = null;
  }

  async invalidate(): Promise<void> {
    this.#version += 1;
    this.#entry = null;
  }

  #claim(): LoadLease | null {
    const now = this.#clock.now();
    if (this.#lease && now < this.#lease.endsAt) return null;
    const token = this.#newToken();
    this.#lease = { token, endsAt: now + LEASE_MS };
    return { token, version: this.#version };
  }

  #isHeldBy(token: string): boolean {
    return this.#lease?.token === token && this.#clock.now() < this.#lease.endsAt;
  }
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogCache, LoadLease } from '../../src/catalog/catalog-cache.ts';

export interface CatalogCacheUnderTest {
  /** Two nodes of the same cache. */
  readonly nodes: readonly [CatalogCache, CatalogCache];
  forgetEverything(): Promise<void>;
  /** What happens to a lease whose node died, without the waiting. */
  endLease(): Promise<void>;
  remove(): Promise<void>;
}

const NOW = 1_800_000_000_000;
const FRESH_MS = 60_000;
const CLOCKS_APART_MS = 10_000;
const ENTRY = { hash: 'first', text: '{"für":"alle 🎭"}' };
const LATER_ENTRY = { hash: 'second', text: 'x'.repeat(200_000) };

/** What every shared catalogue must do. */
export function catalogCacheContract(name: string, open: () => Promise<CatalogCacheUnderTest>): void {
  describe(`catalogue cache: ${name}`, () => {
    let under: CatalogCacheUnderTest;
    let one: CatalogCache;
    let other: CatalogCache;
    beforeAll(async () => {
      under = await open();
      [one, other] = under.nodes;
    });
    beforeEach(() => under.forgetEverything());
    afterAll(() => under.remove());

    const glance = (node: CatalogCache, now = NOW, known: string | null = null) =>
      node.glance(known, now - FRESH_MS, now + CLOCKS_APART_MS);

    async function claim(node: CatalogCache, now = NOW): Promise<LoadLease> {
      const { lease } = await glance(node, now);
      if (!lease) throw new Error('somebody else loads');
      return lease;
    }

    it('[A6] gives the right to load to one of many that find nothing', async () => {
      const asked = Array.from({ length: 50 }, (_, index) => glance(index % 2 ? one : other));
      const glances = await Promise.all(asked);
      expect(glances.filter(({ lease }) => lease)).toHaveLength(1);
      expect(glances.every(({ entry }) => entry === null)).toBe(true);
    });

    it('shows what one node stored to the other, without the text where it has that already', async () => {
      expect(await one.store(await claim(one), ENTRY, NOW)).toEqual({ kind: 'stored' });
      expect(await glance(other, NOW + 1)).toEqual({ entry: ENTRY, lease: null });
      const known = await glance(other, NOW + 1, ENTRY.hash);
      expect(known).toEqual({ entry: { hash: ENTRY.hash, text: null }, lease: null });
    });

    it('[A6] keeps serving a due entry while one node loads it anew', async () => {
      await one.store(await claim(one), ENTRY, NOW);
      const due = NOW + FRESH_MS + 1;
      const glances = await Promise.all([glance(one, due), glance(other, due), glance(one, due)]);
      expect(glances.map(({ entry }) => entry)).toEqual([ENTRY, ENTRY, ENTRY]);
      const leases = glances.flatMap(({ lease }) => lease ?? []);
      expect(leases).toHaveLength(1);
      expect(await one.store(leases[0]!, LATER_ENTRY, due)).toEqual({ kind: 'stored' });
      expect(await glance(other, due)).toEqual({ entry: LATER_ENTRY, lease: null });
    });

    it('finds an entry due that a clock running far ahead has stored, not one that runs a little ahead', async () => {
      await one.store(await claim(one), ENTRY, NOW + CLOCKS_APART_MS);
      expect((await glance(other)).lease).toBeNull();
      expect((await glance(other, NOW - 1)).lease).not.toBeNull();
    });

    it('does not keep what was loaded before an edit, and lets the same node load again', async () => {
      const lease = await claim(one);
      await other.invalidate();
      expect((await glance(other)).lease).toBeNull();
      const stored = await one.store(lease, ENTRY, NOW);
      expect((await glance(other)).entry).toBeNull();
      if (stored.kind !== 'outdated') throw new Error(stored.kind);
      expect((await glance(other)).lease).toBeNull();
      expect(await one.store(stored.lease, LATER_ENTRY, NOW)).toEqual({ kind: 'stored' });
    });

    it('forgets its entry when the catalogue is edited', async () => {
      await one.store(await claim(one), ENTRY, NOW);
      await other.invalidate();
      const { entry, lease } = await glance(one);
      expect(entry).toBeNull();
      expect(lease).not.toBeNull();
    });

    it('lets others load when a load failed, and never gives back what is not its own', async () => {
      const first = await claim(one);
      await one.giveBack(first);
      const second = await claim(other);
      await one.giveBack(first);
      expect((await glance(one)).lease).toBeNull();
      expect(await other.store(second, ENTRY, NOW)).toEqual({ kind: 'stored' });
    });

    it('takes nothing from a node whose lease has ended', async () => {
      const first = await claim(one);
      await under.endLease();
      const second = await claim(other);
      expect(await one.store(first, ENTRY, NOW)).toEqual({ kind: 'lost' });
      expect((await glance(one)).entry).toBeNull();
      expect(await other.store(second, LATER_ENTRY, NOW)).toEqual({ kind: 'stored' });
    });
  });
}

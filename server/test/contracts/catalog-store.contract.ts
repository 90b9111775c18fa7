import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogStore } from '../../src/catalog/catalog-store.ts';
import type { ShowDraft } from '../../src/catalog/show.ts';
import { hostileText } from './hostile-text.ts';

export interface CatalogStoreUnderTest {
  readonly store: CatalogStore;
  /** The same data through a store that has seen nothing of it: what a restarted process gets. */
  reopened(): CatalogStore;
  remove(): Promise<void>;
}

const SEED = 'ab'.repeat(32);

function layout(id: string, rows: number): VenueLayout {
  const arc = { from: [1, 1], to: [9, 1], bend: 0.5 } as const;
  const back = { from: [1, 9], to: [9, 9], bend: 0.5 } as const;
  const block = { priceLevel: 0, rows, firstRow: 'A', seats: [4, 6], front: arc, back } as const;
  return {
    id,
    name: `Haus „${id}“`,
    city: 'Zürich',
    width: 10,
    height: 12,
    landmarks: [],
    priceLevels: ['Parkett'],
    sections: [{ name: 'Parkett', tier: 'Parkett', blocks: [block] }],
  };
}

function draft(venue: string, more: Partial<ShowDraft> = {}): ShowDraft {
  return {
    title: 'It\'s "Łódź" \\ 🎭',
    subtitle: '',
    description: 'Two lines;\n-- and no comment',
    venue,
    startsAt: 1_900_000_000_123,
    currency: 'EUR',
    prices: [4_200],
    sale: {
      lobbyAt: 1_800_000_000_000,
      opensAt: 1_800_000_060_000,
      closesAt: 1_900_000_000_000,
      admissionsPerSecond: 0.5,
      admissionBurst: 3,
      admittedMax: 40,
      admissionLifetimeMs: 600_000,
      seatsPerBuyer: 6,
      holdLifetimeMs: 300_000,
      extensionsMax: 1,
    },
    ...more,
  };
}

/** What every catalogue store must do. */
export function catalogStoreContract(name: string, open: () => Promise<CatalogStoreUnderTest>): void {
  describe(`catalogue store: ${name}`, () => {
    let under: CatalogStoreUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.remove());

    it('has no shows at first', async () => {
      expect(await under.store.shows()).toEqual([]);
    });

    it('hostile names are kept exactly, or refused where they are no text', async () => {
      await under.store.addLayouts([layout('opera', 3)]);
      await fc.assert(
        fc.asyncProperty(hostileText(200), hostileText(200), async (title, description) => {
          const id = await under.store.addShow(draft('opera', { title, description }), SEED);
          const shows = await under.reopened().shows();
          expect(shows.find((show) => show.id === id)).toMatchObject({ title, description });
        }),
        { numRuns: 20, examples: [['\0', '\0']] },
      );
      const half = draft('opera', { title: 'half \ud83c of it' });
      await expect(under.store.addShow(half, SEED)).rejects.toThrow('title');
    });

    it('returns a show as it was written, ready to sell, also after a restart', async () => {
      await under.store.addLayouts([layout('opera', 3)]);
      const id = await under.store.addShow(draft('opera'), SEED);
      const { venue: _venue, ...written } = draft('opera');
      for (const store of [under.store, under.reopened()]) {
        const [show] = await store.shows();
        expect(show).toMatchObject({ ...written, id, drawSeed: SEED, paused: false });
        expect(show?.layout).toEqual(layout('opera', 3));
        expect(show?.seatMap.seatCount).toBe(4 + 5 + 6);
      }
    });

    it('gives each show its own positive id and lists them by id', async () => {
      await under.store.addLayouts([layout('opera', 3), layout('arena', 2)]);
      const ids = [
        await under.store.addShow(draft('opera'), SEED),
        await under.store.addShow(draft('arena'), SEED),
        await under.store.addShow(draft('opera'), SEED),
      ];
      expect(Math.min(...ids)).toBeGreaterThan(0);
      const shows = await under.store.shows();
      expect(shows.map((show) => show.id)).toEqual(ids);
      expect(shows.map((show) => show.layout.id)).toEqual(['opera', 'arena', 'opera']);
    });

    it('keeps the first layout of an id, because tickets refer to it', async () => {
      await under.store.addLayouts([layout('opera', 3)]);
      await under.store.addLayouts([layout('opera', 9), layout('arena', 1)]);
      await under.store.addShow(draft('opera'), SEED);
      await under.store.addShow(draft('arena'), SEED);
      const shows = await under.reopened().shows();
      expect(shows.map((show) => show.layout)).toEqual([layout('opera', 3), layout('arena', 1)]);
    });

    it('refuses a show of a layout nobody knows', async () => {
      await expect(under.store.addShow(draft('nowhere'), SEED)).rejects.toThrow();
      expect(await under.store.shows()).toEqual([]);
    });

    it('fills an empty catalogue once, though several nodes start at the same time', async () => {
      const shows = [1, 2].map(() => ({ draft: draft('opera'), drawSeed: SEED }));
      const fill = () => under.store.fillIfEmpty([layout('opera', 3)], shows);
      const counts = await Promise.all([fill(), fill(), fill()]);
      expect(counts.toSorted()).toEqual([0, 0, 2]);
      expect(await under.store.shows()).toHaveLength(2);
      expect(await fill()).toBe(0);
    });
  });
}

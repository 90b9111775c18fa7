import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import type { ShowDraft } from '../../src/catalog/show.ts';
import { type ShowId, showId } from '../../src/platform/ids.ts';
import { hostileText } from './hostile-text.ts';
import { draftOf } from '../integration/app-stand-show.ts';

export interface CatalogStoreUnderTest {
  readonly store: SqlCatalogStore;
  /** The same data through a store that has seen nothing of it: what a restarted process gets. */
  reopened(): SqlCatalogStore;
  /** Settles an order of a seat of the show. */
  sellSeat(show: ShowId): Promise<unknown>;
  remove(): Promise<void>;
}

const SEED = 'ab'.repeat(32);
const HOUR_MS = 3_600_000;
const CLOSES_AT = 1_900_000_000_000;

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
  const [lobbyAt, opensAt] = [1_800_000_000_000, 1_800_000_060_000];
  const terms = { lobbyAt, opensAt, closesAt: CLOSES_AT, admissionsPerSecond: 0.5 };
  return {
    ...draftOf('It\'s "Łódź" \\ 🎭', venue, 0, terms),
    description: 'Two lines;\n-- and no comment',
    startsAt: 1_900_000_000_123,
    prices: [4_200],
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

    const listed = async (store = under.store) => (await store.contents()).shows;
    const added = async (more: Partial<ShowDraft> = {}): Promise<ShowId> => {
      await under.store.addLayouts([layout('opera', 3)]);
      return under.store.addShow(draft('opera', more), SEED);
    };

    it('has no shows at first', async () => {
      expect(await listed()).toEqual([]);
    });

    it('hostile names are kept exactly, or refused where they are no text', async () => {
      await under.store.addLayouts([layout('opera', 3)]);
      await fc.assert(
        fc.asyncProperty(hostileText(200), hostileText(200), async (title, description) => {
          const id = await under.store.addShow(draft('opera', { title, description }), SEED);
          const shows = await listed(under.reopened());
          expect(shows.find((show) => show.id === id)).toMatchObject({ title, description });
        }),
        { numRuns: 20, examples: [['\0', '\0']] },
      );
      const half = draft('opera', { title: 'half \ud83c of it' });
      await expect(async () => under.store.addShow(half, SEED)).rejects.toThrow('title');
    });

    it('returns a show as it was written, and what lists tell of its venue, also after a restart', async () => {
      const id = await added();
      const { venue: _venue, ...written } = draft('opera');
      for (const store of [under.store, under.reopened()]) {
        const [show] = await listed(store);
        expect(show).toEqual({
          ...written,
          id,
          drawSeed: SEED,
          paused: false,
          cancelled: false,
          version: 1,
          venue: {
            id: 'opera',
            name: 'Haus „opera“',
            city: 'Zürich',
            timeZone: 'UTC',
            priceLevels: ['Parkett'],
            seatCount: 4 + 5 + 6,
          },
        });
        expect(await store.layout('opera')).toEqual(layout('opera', 3));
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
      const shows = await listed();
      expect(shows.map((show) => show.id)).toEqual(ids);
      expect(shows.map((show) => show.venue.id)).toEqual(['opera', 'arena', 'opera']);
    });

    it('keeps the first layout of an id, because tickets refer to it', async () => {
      await added();
      await under.store.addLayouts([layout('opera', 9), layout('arena', 1)]);
      await under.store.addShow(draft('arena'), SEED);
      const again = under.reopened();
      expect(await again.layout('opera')).toEqual(layout('opera', 3));
      expect(await again.layout('arena')).toEqual(layout('arena', 1));
    });

    it('refuses a show of a layout nobody knows', async () => {
      await expect(under.store.addShow(draft('nowhere'), SEED)).rejects.toThrow();
      expect(await listed()).toEqual([]);
    });

    it('fills an empty catalogue once, though several nodes start at the same time', async () => {
      const shows = [1, 2].map(() => ({ draft: draft('opera'), drawSeed: SEED }));
      const fill = () => under.store.fillIfEmpty([layout('opera', 3)], shows);
      const counts = await Promise.all([fill(), fill(), fill()]);
      expect(counts.toSorted()).toEqual([0, 0, 2]);
      expect(await listed()).toHaveLength(2);
      expect(await fill()).toBe(0);
    });

    it('has another version after everything that changes a show, and the same after what changes none', async () => {
      const other = under.reopened();
      const versions = [await other.version()];
      const id = await added();
      versions.push(await other.version());
      await under.store.edit(id, 1, { paused: true });
      versions.push(await other.version());
      await under.store.edit(id, 1, { paused: false });
      expect(await other.version()).toBe(versions.at(-1));
      await under.store.cancel(id, 2, CLOSES_AT);
      versions.push(await other.version());
      await under.store.delete(id, 3, CLOSES_AT + 2 * HOUR_MS);
      versions.push(await other.version());
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(new Set(versions).size).toBe(versions.length);
      expect((await other.contents()).version).toBe(versions.at(-1));
    });

    it('edits what is named and leaves the rest, and keeps what was before', async () => {
      const id = await added();
      const change = { title: 'Another', prices: [99], paused: true, sale: { admittedMax: 7 } };
      expect(await under.store.edit(id, 1, change)).toEqual({ ok: true, version: 2 });
      const [show] = await listed(under.reopened());
      const { venue: _venue, ...written } = draft('opera');
      const sale = { ...written.sale, admittedMax: 7 };
      expect(show).toMatchObject({ ...written, ...change, sale, version: 2 });
      const history = await under.store.history(id);
      expect(history.map(({ version }) => version)).toEqual([1]);
      expect(JSON.parse(history[0]!.text)).toMatchObject({ title: written.title, version: 1 });
    });

    it('refuses prices that are not one for each price level: seats without one would be given away', async () => {
      const id = await added();
      for (const prices of [[], [2, 1]]) {
        const edited = await under.store.edit(id, 1, { prices });
        expect(edited).toEqual({ ok: false, why: 'other-price-levels' });
      }
      expect(await listed()).toMatchObject([{ id, prices: [4_200], version: 1 }]);
    });

    it('refuses an edit of what somebody else has edited since, though both come at once', async () => {
      const id = await added();
      const nodes = [under.store, under.reopened(), under.store];
      const results = await Promise.all(
        nodes.map((store, index) => store.edit(id, 1, { title: `Title ${index}` })),
      );
      expect(results.filter(({ ok }) => ok)).toEqual([{ ok: true, version: 2 }]);
      expect(results.filter(({ ok }) => !ok)).toEqual(
        [1, 2].map(() => ({ ok: false, why: 'edited-meanwhile' })),
      );
      expect(await under.store.edit(showId(id + 1), 1, {})).toEqual({ ok: false, why: 'unknown' });
    });

    it('a cancelled show is closed from now on, and nothing opens it again', async () => {
      const id = await added();
      const now = CLOSES_AT - HOUR_MS;
      expect(await under.store.cancel(id, 1, now)).toEqual({ ok: true, version: 2 });
      const [show] = await listed();
      expect(show).toMatchObject({ cancelled: true, paused: true, sale: { closesAt: now } });
      const reopen = under.store.edit(id, 2, { paused: false, sale: { closesAt: CLOSES_AT } });
      expect(await reopen).toEqual({ ok: false, why: 'cancelled' });
    });

    it('deletes a show that was not sold yet, or a while after its end, and never gives its number to another', async () => {
      const id = await added();
      const { lobbyAt } = draft('opera').sale;
      const notOver = { ok: false, why: 'not-over' };
      expect(await under.store.delete(id, 1, lobbyAt)).toEqual(notOver);
      expect(await under.store.delete(id, 1, CLOSES_AT + 1)).toEqual(notOver);
      expect(await under.store.delete(id, 1, lobbyAt - 1)).toMatchObject({ ok: true });
      expect(await listed()).toEqual([]);
      expect(await under.store.history(id)).toHaveLength(1);
      const shows = [{ draft: draft('opera'), drawSeed: SEED }];
      expect(await under.store.fillIfEmpty([], shows)).toBe(0);
      expect(await added()).toBeGreaterThan(id);
    });

    it('keeps a show that somebody has a ticket of', async () => {
      const id = await added();
      await under.sellSeat(id);
      const deleted = under.store.delete(id, 1, CLOSES_AT + 2 * HOUR_MS);
      expect(await deleted).toEqual({ ok: false, why: 'has-tickets' });
      expect(await listed()).toMatchObject([{ id, version: 1 }]);
    });
  });
}

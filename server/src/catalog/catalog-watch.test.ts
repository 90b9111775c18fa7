import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import { ManualClock } from '@stampede/shared/platform/clock.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { showId } from '../platform/ids.ts';
import { CatalogWatch } from './catalog-watch.ts';
import { demoShows } from './demo-shows.ts';
import type { Show } from './show.ts';
import { loadVenueLayout } from './venue-layout-file.ts';

const layout = await loadVenueLayout(new URL('venues/gaivotas-hall.json', import.meta.url));
const INTERVAL_MS = 3_000;

function show(id: number, more: Partial<Show> = {}): Show {
  const { venue: _venue, ...draft } = demoShows(0)[3]!;
  const seatMap = seatMapOf(layout);
  return { ...draft, id: showId(id), layout, seatMap, drawSeed: 'ab', paused: false, ...more };
}

describe('catalogue watch', () => {
  let shows: readonly Show[];
  let told: string[];
  let failing: boolean;
  let clock: ManualClock;
  let watch: CatalogWatch;

  beforeEach(() => {
    shows = [show(1)];
    told = [];
    failing = false;
    clock = new ManualClock();
    const tell = (what: string) => async (one: Show) => {
      if (failing) throw new Error('could not be opened');
      told.push(`${what} ${one.id}`);
    };
    const parts = {
      catalog: { shows: async () => shows, refresh: async () => undefined },
      clock,
      intervalMs: INTERVAL_MS,
      onAdded: tell('added'),
      onChanged: tell('changed'),
      onError: (id: Show['id'] | null) => void told.push(`failed ${String(id)}`),
    };
    watch = new CatalogWatch(parts, shows);
  });

  it('says nothing of shows that are open already, read anew or not', async () => {
    await watch.look();
    shows = [show(1)];
    await watch.look();
    expect(told).toEqual([]);
  });

  it('tells of a show once: when it is added, and each time its content changes', async () => {
    shows = [show(1), show(2)];
    await watch.look();
    await watch.look();
    shows = [show(1, { paused: true }), show(2)];
    await watch.look();
    await watch.look();
    shows = [show(1, { paused: true }), show(2, { prices: [1, 2, 3, 4] })];
    await watch.look();
    expect(told).toEqual(['added 2', 'changed 1', 'changed 2']);
  });

  it('tells again what could not be carried out, and goes on with the others', async () => {
    shows = [show(1), show(2)];
    failing = true;
    await watch.look();
    failing = false;
    await watch.look();
    expect(told).toEqual(['failed 2', 'added 2']);
  });

  it('looks again and again until it is stopped', async () => {
    watch.start();
    shows = [show(1), show(2)];
    clock.advance(INTERVAL_MS);
    await new Promise(setImmediate);
    await watch.stop();
    shows = [show(1), show(2), show(3)];
    clock.advance(10 * INTERVAL_MS);
    await new Promise(setImmediate);
    expect(told).toEqual(['added 2']);
  });
});

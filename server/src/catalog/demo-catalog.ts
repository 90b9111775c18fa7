import { readdir } from 'node:fs/promises';
import type { CatalogStore } from './catalog-store.ts';
import { demoShows } from './demo-shows.ts';
import { loadVenueLayout } from './venue-layout-file.ts';

const VENUES = new URL('venues/', import.meta.url);

/**
 * Fills an empty catalogue with the demo's venues and shows, whose times count from `now`. Returns how many shows
 * were added: none if there is any, so that a restart keeps what was sold.
 *
 * @param newDrawSeed hex of 32 random bytes
 */
export async function fillEmptyCatalog(
  store: CatalogStore,
  now: number,
  newDrawSeed: () => string,
): Promise<number> {
  if ((await store.contents()).shows.length > 0) return 0;
  const files = (await readdir(VENUES)).filter((name) => name.endsWith('.json'));
  const layouts = await Promise.all(files.map((name) => loadVenueLayout(new URL(name, VENUES))));
  const shows = demoShows(now).map((draft) => ({ draft, drawSeed: newDrawSeed() }));
  return store.fillIfEmpty(layouts, shows);
}

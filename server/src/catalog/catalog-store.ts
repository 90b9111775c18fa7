import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import type { ShowId } from '../platform/ids.ts';
import type { Show, ShowDraft } from './show.ts';

/** Where shows and venue layouts are kept. */
export interface CatalogStore {
  /** Every show, by id. */
  shows(): Promise<readonly Show[]>;
  /** Lets the next `shows` tell what the database holds by now, whoever edited it, at the price of a small read. */
  refresh(): Promise<void>;
  /** Saves layouts that are not there yet; a known id keeps its first layout, because tickets refer to it. */
  addLayouts(layouts: readonly VenueLayout[]): Promise<void>;
  /** Saves a show of a known layout with its draw seed and returns its id. */
  addShow(draft: ShowDraft, drawSeed: string): Promise<ShowId>;

  /**
   * Saves layouts and shows in one step, if there is no show yet, and returns how many shows were saved. Of several
   * nodes that start at once, one does.
   */
  fillIfEmpty(
    layouts: readonly VenueLayout[],
    shows: readonly { readonly draft: ShowDraft; readonly drawSeed: string }[],
  ): Promise<number>;
}

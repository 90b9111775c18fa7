import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { z } from 'zod';
import type { ShowId } from '../platform/ids.ts';
import { listedShow, type ShowChange, type ShowDraft } from './show.ts';

/** Every show, by id, as one version of the catalogue has them. */
export const catalogContents = z
  .object({ version: z.int(), shows: z.array(listedShow).readonly() })
  .readonly();
export type CatalogContents = z.infer<typeof catalogContents>;

/** Why an edit did not happen: somebody else edited the show first; its tickets need it; money may be on its way. */
export type EditRefusal = 'unknown' | 'edited-meanwhile' | 'cancelled' | 'has-tickets' | 'not-over';
export type EditResult =
  { readonly ok: true; readonly version: number } | { readonly ok: false; readonly why: EditRefusal };

/** A show as it was before an edit, as JSON. */
export interface FormerShow {
  readonly version: number;
  readonly text: string;
}

/** Where shows and venue layouts are kept. Every edit of a show changes the catalogue's version in the same step. */
export interface CatalogStore {
  /** One small read. */
  version(): Promise<number>;
  contents(): Promise<CatalogContents>;
  /** Rejects if there is none. */
  layout(venue: string): Promise<VenueLayout>;

  /** Saves layouts that are not there yet; a known id keeps its first layout, because tickets refer to it. */
  addLayouts(layouts: readonly VenueLayout[]): Promise<void>;
  /** Saves a show of a known layout with its draw seed and returns its id. */
  addShow(draft: ShowDraft, drawSeed: string): Promise<ShowId>;
  /**
   * Saves layouts and shows in one step, if there was never a show, and returns how many shows were saved. Of several
   * nodes that start at once, one does.
   */
  fillIfEmpty(
    layouts: readonly VenueLayout[],
    shows: readonly { readonly draft: ShowDraft; readonly drawSeed: string }[],
  ): Promise<number>;

  /** Edits the show if `version` is still its own. */
  edit(show: ShowId, version: number, change: ShowChange): Promise<EditResult>;
  /** Ends the sale of a show for good. `now`: milliseconds since the Unix epoch. */
  cancel(show: ShowId, version: number, now: number): Promise<EditResult>;
  /** Removes a show without tickets which is not on sale: before its lobby, or so long after that no payment is on its way. */
  delete(show: ShowId, version: number, now: number): Promise<EditResult>;
  /** What the show was before each of its edits, the oldest first; also of a deleted one. */
  history(show: ShowId): Promise<readonly FormerShow[]>;
}

/** The whole catalogue, named by a hash of its text. */
export interface CatalogEntry {
  readonly hash: string;
  readonly text: string;
}

/**
 * The right to load the catalogue from the database: one node has it at a time, and a node that dies loses it.
 * `version` counts invalidations; it was read before the load and tells whether an edit overtook it.
 */
export interface LoadLease {
  readonly token: string;
  readonly version: number;
}

/** What a node finds when it looks. */
export interface Glance {
  /** Null: there is none. `text` is null where the node has it already. */
  readonly entry: { readonly hash: string; readonly text: string | null } | null;
  /** Whether the asking node is to load the catalogue anew: it is due, and nobody else is at it. */
  readonly lease: LoadLease | null;
}

/** What became of a loaded catalogue. */
export type Stored =
  | { readonly kind: 'stored' }
  /** Edited while it was being loaded: not kept, to be loaded again under the renewed lease. */
  | { readonly kind: 'outdated'; readonly lease: LoadLease }
  /** The load took longer than its lease: not kept, somebody else is at it or was. */
  | { readonly kind: 'lost' };

/** A lease ends by itself after this, so that a dead node holds nobody up. No load may take as long. */
export const LEASE_MS = 10_000;
/** An entry that is not renewed for so long is forgotten; until then an old one is better than none. */
export const ENTRY_KEPT_MS = 24 * 60 * 60 * 1_000;

/** The catalogue that all nodes share, so that it is loaded once for all of them. Each method is one atomic step. */
export interface CatalogCache {
  /**
   * Looks at the entry. It is due if there is none, or if it was loaded before `loadedFrom`, or after `loadedUntil`
   * by a clock that runs far ahead; of all that find it due, one gets the lease.
   */
  glance(knownHash: string | null, loadedFrom: number, loadedUntil: number): Promise<Glance>;

  /** Keeps a loaded catalogue and gives back the lease. `now`: before the load began. */
  store(lease: LoadLease, entry: CatalogEntry, now: number): Promise<Stored>;

  /** Gives back the lease of a load that failed; does nothing if it is another's by now. */
  giveBack(lease: LoadLease): Promise<void>;

  /** Forgets the entry, because the catalogue was edited; a load under way will not be kept. */
  invalidate(): Promise<void>;
}

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { ShowId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import type { CatalogStore } from './catalog-store.ts';
import type { Show } from './show.ts';

export interface CatalogWatchParts {
  readonly catalog: Pick<CatalogStore, 'shows' | 'refresh'>;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Where one rejects, it is called again on the next round. */
  readonly onAdded: (show: Show) => Promise<void>;
  /** Also for a show that is paused or goes on. */
  readonly onChanged: (show: Show) => Promise<void>;
  /** `show` null: the catalogue could not be read. */
  readonly onError: (show: ShowId | null, cause: unknown) => void;
}

/**
 * Tells of shows that were added or edited while this node runs, whichever node did it, so that every node sells
 * them. The catalogue is asked every second; what makes that cheap is the cache in front of it.
 */
export class CatalogWatch {
  readonly #parts: CatalogWatchParts;
  readonly #known: Map<ShowId, Show>;
  #stop: (() => Promise<void>) | null = null;

  /** @param known the shows that the node has opened already */
  constructor(parts: CatalogWatchParts, known: readonly Show[]) {
    this.#parts = parts;
    this.#known = new Map(known.map((show) => [show.id, show]));
  }

  start(): void {
    const { clock, intervalMs, onError } = this.#parts;
    this.#stop ??= repeat(
      clock,
      intervalMs,
      () => this.look(),
      (cause) => onError(null, cause),
    );
  }

  /** Resolves when no callback is under way any more. */
  async stop(): Promise<void> {
    await this.#stop?.();
  }

  /** One round; rejects if the catalogue could not be read. */
  async look(): Promise<void> {
    const { catalog, onAdded, onChanged, onError } = this.#parts;
    await catalog.refresh().catch((cause: unknown) => onError(null, cause));
    for (const show of await catalog.shows()) {
      const known = this.#known.get(show.id);
      if (known === show) continue;
      try {
        if (!known) await onAdded(show);
        else if (!isSameShow(known, show)) await onChanged(show);
        this.#known.set(show.id, show);
      } catch (cause) {
        onError(show.id, cause);
      }
    }
  }
}

/** The seat map follows from the layout, and comparing tens of thousands of seats would say nothing more. */
function isSameShow({ seatMap: _mapA, ...a }: Show, { seatMap: _mapB, ...b }: Show): boolean {
  return isDeepStrictEqual(a, b);
}

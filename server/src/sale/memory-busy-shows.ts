import type { ShowId } from '../platform/ids.ts';
import type { BusyShows } from './busy-shows.ts';

/** Of the only process. */
export class MemoryBusyShows implements BusyShows {
  readonly #shows = new Map<ShowId, number>();

  async announce(shows: readonly ShowId[], at: number): Promise<void> {
    for (const show of shows) this.#shows.set(show, at);
  }

  async list(): Promise<ReadonlyMap<ShowId, number>> {
    return new Map(this.#shows);
  }

  async forget(show: ShowId): Promise<void> {
    this.#shows.delete(show);
  }
}

import type { ShowId } from '../platform/ids.ts';

/**
 * The shows that somebody has entered lately, or holds seats in, on whichever node. Only these can have anything that a
 * job must end: a node says so before the first buyer may do anything, and goes on saying it; who serves them forgets a
 * show once nothing lives in it.
 */
export interface BusyShows {
  /** Somebody is in these shows at this instant. */
  announce(shows: readonly ShowId[], at: number): Promise<void>;
  /** Every show that was not forgotten, and when it was last announced. */
  list(): Promise<ReadonlyMap<ShowId, number>>;
  /** Nothing lives in it any more. */
  forget(show: ShowId): Promise<void>;
}

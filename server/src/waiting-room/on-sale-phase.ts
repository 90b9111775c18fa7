import type { Phase } from '@stampede/shared/protocol/messages.ts';
import type { SaleTerms } from '../catalog/show.ts';

/** The instants that move an on-sale by themselves, in milliseconds since the Unix epoch. */
export type SaleInstants = Pick<SaleTerms, 'lobbyAt' | 'opensAt' | 'closesAt'>;

/**
 * Where an on-sale stands at `now`. An instant belongs to the phase it begins. Time decides first: a pause before
 * the opening shows only from the opening on, and after `closesAt` nothing can come back on sale, so that `closed`
 * outranks `sold-out`. An on-sale whose lobby would begin after its opening has none.
 */
export function phaseOf(terms: SaleInstants, paused: boolean, soldOut: boolean, now: number): Phase {
  if (now >= terms.closesAt) return 'closed';
  if (now < terms.opensAt) return now < terms.lobbyAt ? 'scheduled' : 'lobby';
  if (soldOut) return 'sold-out';
  return paused ? 'paused' : 'open';
}

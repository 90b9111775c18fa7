import type { RefusalCode } from '@stampede/shared/protocol/codes.ts';
import type { Phase } from '@stampede/shared/protocol/messages.ts';

/** Why seats can't be taken in this phase; null while they can. What is held already may be paid in any phase. */
export function sellingRefusal(phase: Phase): RefusalCode | null {
  switch (phase) {
    case 'open':
      return null;
    case 'scheduled':
    case 'lobby':
      return 'sale-not-open';
    case 'paused':
      return 'sale-paused';
    case 'sold-out':
      return 'sold-out';
    case 'closed':
      return 'sale-closed';
  }
}

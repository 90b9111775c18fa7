import type { HoldView, Standing } from '@stampede/shared/client/client-view.ts';
import type { OrderMessage, Phase } from '@stampede/shared/protocol/messages.ts';

/** What the buyer is doing. The page shows exactly one step at a time. */
export type SaleStep =
  | 'connecting'
  | 'countdown'
  | 'entry'
  | 'lobby'
  | 'queue'
  | 'choose'
  | 'checkout'
  | 'processing'
  | 'confirmed'
  | 'voided'
  | 'sold-out'
  | 'closed';

export interface SaleFacts {
  readonly phase: Phase;
  readonly standing: Standing;
  readonly hold: HoldView | null;
  /** The newest order of this buyer for this show. */
  readonly latestOrder: OrderMessage | null;
  /** The order whose outcome this page watched arriving. */
  readonly witnessedOrder: string | null;
  /** The order whose outcome the buyer has put aside. */
  readonly dismissedOrder: string | null;
  /** The buyer joined a moment ago. */
  readonly arriving: boolean;
  /** The buyer asked to check out. */
  readonly reviewing: boolean;
}

function isShown(order: OrderMessage, facts: SaleFacts): boolean {
  if (order.id === facts.dismissedOrder) return false;
  if (order.id === facts.witnessedOrder) return true;
  const { standing } = facts;
  return order.status === 'confirmed' && standing.state === 'outside' && standing.reason === 'finished';
}

/** Derives the step from the server's truth alone, so that a reload lands where the buyer was [P4]. */
export function saleStep(facts: SaleFacts): SaleStep {
  const { phase, standing, hold, latestOrder } = facts;
  if (latestOrder?.status === 'processing' || hold?.payment === 'accepted') return 'processing';
  if (hold?.payment === 'handing-over') return 'checkout';
  if (latestOrder?.status === 'confirmed' && isShown(latestOrder, facts)) return 'confirmed';
  if (latestOrder?.status === 'voided' && isShown(latestOrder, facts)) return 'voided';
  // What is held may be paid for even after the end; nothing more can be chosen then.
  const choosing = standing.state === 'admitted' && phase !== 'closed';
  if (hold || choosing) return hold && facts.reviewing ? 'checkout' : 'choose';
  if (phase === 'sold-out' || phase === 'closed') return phase;
  if (standing.state === 'waiting') {
    if (phase === 'lobby') return 'lobby';
    // Next in line: the seats are about to come, and a queue would only flash by.
    return facts.arriving && standing.position === 1 ? 'entry' : 'queue';
  }
  if (phase === 'scheduled') return 'countdown';
  return standing.state === 'unknown' ? 'connecting' : 'entry';
}

/** The four stages of the way to a ticket, as the buyer is shown them. */
export const stages = ['wait', 'choose', 'pay', 'ticket'] as const;
export type Stage = (typeof stages)[number];

const STAGES: Readonly<Record<SaleStep, Stage | null>> = {
  connecting: 'wait',
  countdown: 'wait',
  entry: 'wait',
  lobby: 'wait',
  queue: 'wait',
  choose: 'choose',
  checkout: 'pay',
  processing: 'pay',
  voided: 'pay',
  confirmed: 'ticket',
  'sold-out': null,
  closed: null,
};

export function stageOf(step: SaleStep): Stage | null {
  return STAGES[step];
}

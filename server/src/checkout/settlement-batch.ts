import type { Clock } from '@stampede/shared/platform/clock.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { OrderStore, OutboxRecord, Verdict } from './order-store.ts';
import { answerWithin } from '../platform/outside-call.ts';
import { STORE_TIMEOUT_MS } from './payment-terms.ts';

/**
 * Verdicts of one transaction: enough to share a disk sync, few enough that the embedded database, which works on
 * the process's only thread, holds up its sockets for some tens of milliseconds at most.
 */
const VERDICTS_MAX = 64;

/** A payment took seconds; a few milliseconds more let its neighbours share the commit. */
const GATHER_MS = 10;

/**
 * Makes verdicts final in group commits: those that come within a tick, or while a commit is under way, share one
 * transaction. Payments are gathered by when they are ready, not by how they were delivered, so none waits for a
 * slow bank of its batch.
 *
 * If the process dies before the commit, no verdict is final and the payment log delivers all of them again; after
 * it, every verdict is final and its outbox record is waiting.
 */
export function settlementBatch(orders: OrderStore, clock: Clock): GatheredCalls<Verdict, OutboxRecord> {
  return new GatheredCalls(
    (verdicts) =>
      answerWithin(clock, STORE_TIMEOUT_MS, 'the order database', () => orders.settle(verdicts, clock.now())),
    (task) => void clock.after(GATHER_MS, task),
    { itemsMax: VERDICTS_MAX, callsMax: 1 },
  );
}

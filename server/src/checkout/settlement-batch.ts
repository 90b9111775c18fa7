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
 * Verdicts of a failed batch that fail alone too, before the rest is given up: by then the database is to blame, and the
 * payment log delivers them again.
 */
const LONE_FAILURES_MAX = 3;

/** Gathers verdicts into commits. */
export interface SettlementBatch {
  /** Makes a verdict final; rejects where it was not. */
  add(verdict: Verdict): Promise<OutboxRecord>;
}

/**
 * Makes verdicts final in group commits: those that come within a tick, or while a commit is under way, share one
 * transaction. Payments are gathered by when they are ready, not by how they were delivered, so none waits for a
 * slow bank of its batch. Where a batch fails, each of it is tried alone: one verdict that the database will not have
 * must not keep the others from their outcome [P2].
 *
 * If the process dies before the commit, no verdict is final and the payment log delivers all of them again; after
 * it, every verdict is final and its outbox record is waiting.
 */
export function settlementBatch(orders: OrderStore, clock: Clock): SettlementBatch {
  const settle = (verdicts: readonly Verdict[]): Promise<readonly OutboxRecord[]> =>
    answerWithin(clock, STORE_TIMEOUT_MS, 'the order database', () => orders.settle(verdicts, clock.now()));
  const calls = new GatheredCalls<Verdict, Settled>(
    (verdicts) =>
      settle(verdicts).catch((cause: unknown) =>
        verdicts.length === 1 ? [{ cause }] : settleEach(verdicts, settle),
      ),
    (task) => void clock.after(GATHER_MS, task),
    { itemsMax: VERDICTS_MAX, callsMax: 1 },
  );
  return {
    async add(verdict) {
      const settled = await calls.add(verdict);
      if ('cause' in settled) throw settled.cause;
      return settled;
    },
  };
}

type Settled = OutboxRecord | { readonly cause: unknown };

async function settleEach(
  verdicts: readonly Verdict[],
  settle: (verdicts: readonly Verdict[]) => Promise<readonly OutboxRecord[]>,
): Promise<readonly Settled[]> {
  const settled: Settled[] = [];
  const failures: { readonly cause: unknown }[] = [];
  for (const verdict of verdicts) {
    const [lastFailure] = failures.slice(-1);
    const isHopeless = failures.length === LONE_FAILURES_MAX && settled.length === failures.length;
    if (lastFailure && isHopeless) return verdicts.map((_, index) => settled[index] ?? lastFailure);
    try {
      settled.push(...(await settle([verdict])));
    } catch (cause) {
      failures.push({ cause });
      settled.push({ cause });
    }
  }
  return settled;
}

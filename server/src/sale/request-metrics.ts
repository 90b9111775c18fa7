import type { ClientMessage, ServerMessage } from '@stampede/shared/protocol/messages.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { RequestResult } from '../platform/metrics.ts';
import type { Refusal } from '../platform/outcome.ts';

/** Where the outcomes of buyers' requests are counted. */
export interface RequestCounts {
  countHold(outcome: RequestResult, durationMs: number | null): void;
  countCheckout(outcome: RequestResult): void;
}

/** Runs a buyer's request and counts what came of it, whichever transport it came by. Rejects as `run` does. */
export async function countRequest(
  counts: RequestCounts,
  clock: Clock,
  type: ClientMessage['type'],
  run: () => Promise<ServerMessage | Refusal>,
): Promise<ServerMessage | Refusal> {
  const beganAt = clock.now();
  let outcome: RequestResult = 'failed';
  try {
    const answer = await run();
    outcome = 'ok' in answer ? answer.code : 'done';
    return answer;
  } finally {
    if (type === 'hold') counts.countHold(outcome, clock.now() - beganAt);
    if (type === 'checkout') counts.countCheckout(outcome);
  }
}

/** Counts a request that came too soon to be looked at. */
export function countOverhasty(counts: RequestCounts, type: ClientMessage['type']): void {
  if (type === 'hold') counts.countHold('rate-limited', null);
  if (type === 'checkout') counts.countCheckout('rate-limited');
}

import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, test } from 'vitest';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import type { OrderStore, Verdict } from './order-store.ts';
import { Settlements } from './settlements.ts';

function verdictOf(order: string): Verdict {
  const request = {
    orderId: orderId(order),
    show: showId(1),
    session: sessionId('s'),
    holdToken: holdToken(1),
    idempotencyKey: order,
    seats: [1],
    amount: 1,
    currency: 'EUR',
    createdAt: 0,
    payBy: 60_000,
  };
  return { request, status: 'declined', reason: '', paymentReference: '', tickets: [] };
}

/** A database that fails every batch with one of the given orders in it. */
function stand(failing: (order: string) => boolean) {
  const clock = new ManualClock();
  const batches: string[][] = [];
  const settle = async (verdicts: readonly Verdict[]) => {
    const ids = verdicts.map(({ request }) => request.orderId);
    batches.push(ids);
    if (ids.some(failing)) throw new Error('the database will not have it');
    return ids.map((id, index) => ({ id: index, order: { id, show: showId(1), status: 'declined' } }));
  };
  const unused = (): never => {
    throw new Error('not of this test');
  };
  const settlements = new Settlements({
    outside: { clock, random: () => 0, nextTurn: unused, report: () => undefined },
    orders: { settle } as unknown as OrderStore,
    // What final orders ask for is left to the relay.
    seatRules: async () => null,
    seats: {} as never,
    gateway: {} as never,
    finished: unused,
  });
  const settleAll = async (orders: readonly string[]) => {
    const asked = orders.map((order) => settlements.settle(verdictOf(order)).then(() => order));
    const settled = Promise.allSettled(asked);
    clock.advance(1_000);
    return (await settled).map((one) => (one.status === 'fulfilled' ? one.value : 'failed'));
  };
  return { batches, settleAll };
}

describe('settling in batches', () => {
  test('[P2] one verdict that the database will not have fails alone, whatever shares its commit', async () => {
    const { settleAll } = stand((order) => order === 'bad');
    expect(await settleAll(['a', 'bad', 'b', 'c'])).toEqual(['a', 'failed', 'b', 'c']);
  });

  test('[P7] a database that is down is not asked for each of a large batch', async () => {
    const { batches, settleAll } = stand(() => true);
    const orders = Array.from({ length: 50 }, (_, index) => `order-${String(index)}`);
    expect(new Set(await settleAll(orders))).toEqual(new Set(['failed']));
    expect(batches.length).toBeLessThan(6);
  });
});

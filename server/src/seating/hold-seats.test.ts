import { describe, expect, test } from 'vitest';
import type { Show } from '../catalog/show.ts';
import { holdToken, sessionId, showId } from '../platform/ids.ts';
import { done, refuse } from '../platform/outcome.ts';
import { HoldSeats } from './hold-seats.ts';
import type { HoldRequest, SeatRules, SeatStore } from './seat-store.ts';

const show = {
  id: showId(1),
  prices: [9_000, 5_000],
  seatMap: { priceLevel: Uint8Array.from([0, 1]) },
} as unknown as Show;
const rules = { show: show.id } as SeatRules;

/** Runs what a turn collected when the test says that the turn is over. */
function turns() {
  const tasks: (() => void)[] = [];
  return {
    next: (task: () => void) => void tasks.push(task),
    end: () => tasks.splice(0).forEach((task) => task()),
  };
}

const buyer = (name: string) => ({ session: sessionId(name), network: null });

function storeAnswering(hold: SeatStore['hold']): SeatStore {
  return { hold } as unknown as SeatStore;
}

describe('hold seats', () => {
  test('requests of one turn travel in one call, with prices, and are answered one by one', async () => {
    const calls: (readonly HoldRequest[])[] = [];
    const turn = turns();
    const holds = new HoldSeats(
      storeAnswering(async (_, requests) => {
        calls.push(requests);
        return requests.map(({ seats }, index) =>
          index === 1
            ? refuse('seat-taken', { seats })
            : done({
                holdToken: holdToken(1),
                seats,
                amount: 0,
                expiresAt: 0,
                extensionsLeft: 0,
                orderId: null,
                begunAt: 0,
                isAccepted: false,
                revision: 1,
              }),
        );
      }),
      turn.next,
    );
    const first = holds.run(show, rules, buyer('a'), [0, 1]);
    const second = holds.run(show, rules, buyer('b'), [1]);
    expect(calls).toHaveLength(0);
    turn.end();
    expect((await first).ok).toBe(true);
    expect(await second).toMatchObject({ ok: false, code: 'seat-taken', seats: [1] });
    expect(calls).toEqual([
      [
        { session: 'a', network: null, seats: [0, 1], prices: [9_000, 5_000] },
        { session: 'b', network: null, seats: [1], prices: [5_000] },
      ],
    ]);
    const third = holds.run(show, rules, buyer('c'), [0]);
    turn.end();
    await third;
    expect(calls).toHaveLength(2);
  });

  test('a store that fails, or forgets somebody, fails every request of the turn that has no answer', async () => {
    const turn = turns();
    const broken = new HoldSeats(
      storeAnswering(() => Promise.reject(new Error('gone'))),
      turn.next,
    );
    const forgetful = new HoldSeats(
      storeAnswering(async () => []),
      turn.next,
    );
    const answers = [
      broken.run(show, rules, buyer('a'), [0]),
      broken.run(show, rules, buyer('b'), [0]),
      forgetful.run(show, rules, buyer('a'), [0]),
    ];
    turn.end();
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});

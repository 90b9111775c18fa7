import { expect, test } from 'vitest';
import type { Show } from '../catalog/show.ts';
import { sessionId, showId } from '../platform/ids.ts';
import { holdStep } from './seat-steps.ts';

test('a step that holds seats carries the price of each', () => {
  const show = {
    id: showId(1),
    prices: [9_000, 5_000],
    seatMap: { priceLevel: Uint8Array.from([0, 1, 0]) },
  } as unknown as Show;
  const session = sessionId('ana');
  expect(holdStep(show, { session, network: null }, [2, 1])).toEqual({
    kind: 'hold',
    session,
    network: null,
    seats: [2, 1],
    prices: [9_000, 5_000],
  });
});

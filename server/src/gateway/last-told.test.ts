import type { ServerMessage } from '@stampede/shared/protocol/messages.ts';
import { describe, expect, test } from 'vitest';
import { LastTold } from './last-told.ts';

const hold = (seats: number[], expiresAt = 9): ServerMessage => ({
  type: 'hold',
  requestId: 0,
  holdToken: 7,
  seats,
  expiresAt,
  now: 1,
  extensionsLeft: 1,
  orderId: null,
});
const ended: ServerMessage = {
  type: 'hold-ended',
  requestId: 0,
  holdToken: 7,
  seats: [1],
  reason: 'expired',
};

describe('last told', () => {
  test('the same hold again is no news, whatever request it answers; a changed one is', () => {
    const told = new LastTold();
    expect(told.isNews(hold([1]))).toBe(true);
    expect(told.isNews({ ...hold([1]), requestId: 5 } as ServerMessage)).toBe(false);
    expect(told.isNews(hold([1, 2]))).toBe(true);
    expect(told.isNews(hold([1, 2], 10))).toBe(true);
    expect(told.isNews(ended)).toBe(true);
    expect(told.isNews(ended)).toBe(false);
  });

  test('it knows which hold the socket believes in, until that ends or everything is forgotten', () => {
    const told = new LastTold();
    told.isNews(hold([1, 2]));
    expect(told.liveHold).toEqual({ holdToken: 7, seats: [1, 2] });
    told.isNews(ended);
    expect(told.liveHold).toBeNull();
    told.isNews(hold([3]));
    told.forget();
    expect(told.liveHold).toBeNull();
    expect(told.isNews(hold([3]))).toBe(true);
  });
});

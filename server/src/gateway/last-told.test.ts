import type { ServerMessage } from '@stampede/shared/protocol/messages.ts';
import { describe, expect, test } from 'vitest';
import { LastTold } from './last-told.ts';

const hold = (seats: number[], revision: number, holdToken = 7): ServerMessage => ({
  type: 'hold',
  requestId: 0,
  holdToken,
  seats,
  expiresAt: 9,
  now: 1,
  extensionsLeft: 1,
  orderId: null,
  payment: 'none',
  revision,
});
const ended: ServerMessage = {
  type: 'hold-ended',
  requestId: 0,
  holdToken: 7,
  seats: [1],
  reason: 'expired',
  revision: 5,
};

const order = (id: string, status: 'processing' | 'confirmed'): ServerMessage => ({
  type: 'order',
  requestId: 0,
  order: {
    id,
    show: 1,
    status,
    seats: [1],
    amount: 100,
    currency: 'EUR',
    createdAt: 1,
    reason: '',
    tickets: [],
  },
});

describe('last told', () => {
  test('the same hold again is no news, whatever request it answers; a changed one is', () => {
    const told = new LastTold();
    expect(told.isNews(hold([1], 2))).toBe(true);
    expect(told.isNews({ ...hold([1], 2), requestId: 5 } as ServerMessage)).toBe(false);
    expect(told.isNews(hold([1, 2], 3))).toBe(true);
    expect(told.isNews(ended)).toBe(true);
    expect(told.isNews(ended)).toBe(false);
  });

  test('6.3 a push that is older than the last word about the hold is no news', () => {
    const told = new LastTold();
    told.isNews(hold([1, 2], 4));
    expect(told.isNews(hold([1], 3))).toBe(false);
    told.isNews(ended);
    expect(told.isNews(hold([1, 2], 4))).toBe(false);
    expect(told.isNews(hold([3], 1, 8))).toBe(true);
    expect(told.isNews(ended)).toBe(false);
    expect(told.liveHold?.holdToken).toBe(8);
  });

  test('it knows which hold the socket believes in, until that ends or everything is forgotten', () => {
    const told = new LastTold();
    told.isNews(hold([1, 2], 4));
    expect(told.liveHold).toEqual({ holdToken: 7, seats: [1, 2], revision: 4 });
    told.isNews(ended);
    expect(told.liveHold).toBeNull();
    told.isNews(hold([3], 1, 8));
    told.forget();
    expect(told.liveHold).toBeNull();
    expect(told.isNews(hold([3], 1, 8))).toBe(true);
  });

  test('what the feed says while requests are under way follows the last answer, the newest of each thing', () => {
    const told = new LastTold();
    expect(told.keepsBack(hold([1], 1))).toBe(false);
    told.asked();
    told.asked();
    expect(told.keepsBack(hold([1, 2], 2))).toBe(true);
    expect(told.keepsBack(order('one', 'processing'))).toBe(true);
    expect(told.keepsBack(hold([1], 1))).toBe(true);
    expect(told.keepsBack(order('one', 'confirmed'))).toBe(true);
    expect(told.keepsBack({ type: 'outside', requestId: 0, reason: 'left' })).toBe(false);
    expect([...told.answered()]).toEqual([]);
    expect([...told.answered()]).toEqual([hold([1, 2], 2), order('one', 'confirmed')]);
    expect(told.keepsBack(hold([3], 3))).toBe(false);
    told.asked();
    expect([...told.answered()]).toEqual([]);
  });

  test('what waits for an answer is forgotten with the rest', () => {
    const told = new LastTold();
    told.asked();
    told.keepsBack(hold([1], 1));
    told.forget();
    expect([...told.answered()]).toEqual([]);
  });
});

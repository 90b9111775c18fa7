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
const paid = (payment: 'none' | 'handing-over' | 'accepted', revision: number, holdToken = 7) =>
  ({ ...hold([1], revision, holdToken), payment }) as ServerMessage;
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

  test('6.8 a hold whose payment was answered is not told as handing over, until it was something else', () => {
    const told = new LastTold();
    told.isNews(hold([1], 2));
    told.asked();
    told.keepsBack(paid('handing-over', 3));
    told.acceptedFor(7);
    const kept = [...told.answered()];
    expect(kept.filter((word) => told.isNews(word))).toEqual([]);
    expect(told.isNews(paid('accepted', 4))).toBe(true);
    expect(told.isNews(paid('none', 5))).toBe(true);
    expect(told.isNews(paid('handing-over', 6))).toBe(true);
  });

  test('6.8 what comes after the answer is no step back either; another hold is another matter', () => {
    const told = new LastTold();
    told.acceptedFor(7);
    expect(told.isNews(paid('handing-over', 3))).toBe(false);
    expect(told.isNews(paid('handing-over', 1, 8))).toBe(true);
    told.acceptedFor(8);
    told.forget();
    expect(told.isNews(paid('handing-over', 1, 8))).toBe(true);
  });

  test('4.4 the same word that one is outside is no news; after another standing it is', () => {
    const told = new LastTold();
    const left: ServerMessage = { type: 'outside', requestId: 0, reason: 'left' };
    expect(told.isNews({ ...left, requestId: 5 })).toBe(true);
    expect(told.isNews(left)).toBe(false);
    expect(told.isNews({ ...left, reason: 'lost' })).toBe(true);
    told.isNews({ type: 'waiting', requestId: 0, position: 1, behind: 0, wait: null });
    expect(told.isNews(left)).toBe(true);
    told.isNews({ type: 'admitted', requestId: 0, deadline: 9, now: 1 });
    expect(told.isNews(left)).toBe(true);
    told.forget();
    expect(told.isNews(left)).toBe(true);
  });

  test('[P4] 4.3 who is let in while their `join` is under way hears of that after the answer, unless it says so or they left', () => {
    const admitted = (requestId: number): ServerMessage => ({
      type: 'admitted',
      requestId,
      deadline: 9,
      now: 1,
    });
    const answers: readonly (readonly [ServerMessage, readonly ServerMessage[]])[] = [
      [{ type: 'waiting', requestId: 5, position: 1, behind: 0, wait: null }, [admitted(0)]],
      [admitted(5), []],
      [{ type: 'outside', requestId: 5, reason: 'left' }, []],
    ];
    for (const [answer, then] of answers) {
      const told = new LastTold();
      told.asked();
      expect(told.keepsBack(admitted(0))).toBe(true);
      told.isNews(answer);
      expect([...told.answered()]).toEqual(then);
    }
  });

  test('what waits for an answer is forgotten with the rest', () => {
    const told = new LastTold();
    told.asked();
    told.keepsBack(hold([1], 1));
    told.forget();
    expect([...told.answered()]).toEqual([]);
  });
});

import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { expect, it } from 'vitest';
import { isClean, judge } from './verdict.ts';
import { WordBook } from '../shopper/word-book.ts';

const order = { show_id: 1, session_id: 's', idempotency_key: 'k', status: 'confirmed', reason: '' };
const books = {
  orders: [{ ...order, id: 'o1', seats: [1] }],
  sold: [{ show_id: 1, seat: 1, order_id: 'o1', ticket_code: 'a' }],
};
const picture = (...statuses: readonly number[]) => ({ place: 'Redis', show: 1, statuses });

it('is clean where every picture shows just what the database has sold', () => {
  expect(isClean(judge(books, [new WordBook('ana')], [picture(AVAILABLE, SOLD, AVAILABLE)]))).toBe(true);
});

it('[P1] [P3] names seats that are sold on the screens only, or in the database only, or held by nobody', () => {
  const { seats } = judge(books, [], [picture(SOLD, AVAILABLE, HELD, NaN)]);
  expect(seats).toHaveLength(1);
  expect(seats[0]).toContain('4 seats');
  expect(seats[0]).toContain('0 is sold, should be available; 1 is available, should be sold; 2 is held');
});

it('[P1] names a seat that is confirmed and not sold, and one that is sold twice', () => {
  expect(judge({ ...books, sold: [] }, [], []).books).toEqual(['seat 1:1 of o1 is confirmed and not sold']);
  const twice = {
    ...books,
    sold: [...books.sold, { show_id: 1, seat: 1, order_id: 'o2', ticket_code: 'b' }],
  };
  expect(judge(twice, [], []).books).toContain('a seat is sold twice');
});

import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { expect, it } from 'vitest';
import { type OrderRow, WordBook } from './word-book.ts';

const order = (
  id: string,
  status: OrderMessage['status'],
  tickets: readonly string[] = [],
): OrderMessage => ({
  id,
  show: 1,
  status,
  seats: [1, 2],
  amount: 10,
  currency: 'EUR',
  createdAt: 1,
  reason: '',
  tickets,
});
const rows = (...list: readonly OrderRow[]) => new Map(list.map((row) => [row.id, row]));
const row = (id: string, status: OrderRow['status'], tickets: readonly string[] = []): OrderRow => ({
  id,
  status,
  tickets,
  reason: '',
});

it('[P2] an order that was only named by a hold must have a row', () => {
  const book = new WordBook('ana');
  book.hearId('o1');
  expect(book.openOrders).toEqual(['o1']);
  expect(book.compare(rows()).unended).toEqual(['ana: order o1 was told (processing) and has no row']);
  expect(book.compare(rows(row('o1', 'voided')))).toEqual({ unended: [], contradicted: [] });
});

it('[P2] an outcome stands: another one, or other tickets, is a contradiction', () => {
  const book = new WordBook('ana');
  book.hearOrder(order('o1', 'processing'));
  book.hearOrder(order('o1', 'confirmed', ['a', 'b']));
  book.hearOrder(order('o1', 'processing'));
  book.hearOrder(order('o1', 'confirmed', ['b', 'a']));
  expect(book.contradictions).toEqual([]);
  book.hearOrder(order('o1', 'confirmed', ['a', 'c']));
  book.hearOrder(order('o1', 'voided'));
  expect(book.contradictions).toHaveLength(2);
});

it('[P2] the database must have what was told last', () => {
  const book = new WordBook('ana');
  book.hearOrder(order('o1', 'confirmed', ['a', 'b']));
  expect(book.compare(rows(row('o1', 'confirmed', ['a', 'b']))).contradicted).toEqual([]);
  expect(book.compare(rows(row('o1', 'confirmed', ['a', 'c']))).contradicted).toHaveLength(1);
  expect(book.compare(rows(row('o1', 'declined'))).contradicted).toHaveLength(1);
});

import { describe, expect, it } from 'vitest';
import type { BrowserShelf } from '#lib/browser-shelf.ts';
import { forbiddenShelf, memoryShelf } from '../../../test/memory-shelf.ts';
import { keepTickets, readKeptTickets, withKept } from './kept-tickets.ts';
import type { TicketOrder } from './ticket-order.ts';

const DAY_MS = 24 * 3_600_000;
const NOW = Date.parse('2027-01-01T12:00:00Z');

function orderOf(id: string, more: { startsIn?: number; createdAt?: number } = {}): TicketOrder {
  return {
    id,
    status: 'confirmed',
    amount: 9_500,
    currency: 'EUR',
    createdAt: more.createdAt ?? NOW,
    recoveryCode: null,
    show: {
      id: 7,
      title: 'A Play',
      subtitle: '',
      venue: 'The Kiosk',
      city: 'Vienna',
      startsAt: new Date(NOW + (more.startsIn ?? 80 * DAY_MS)).toISOString(),
      timeZone: 'Europe/Vienna',
    },
    tickets: [{ code: `${id}-code`, place: { section: 'Left', row: 'A', seat: '1' }, amount: 9_500 }],
  };
}

const idsIn = (store: BrowserShelf) => readKeptTickets(store).map(({ id }) => id);

describe('tickets kept in the browser', () => {
  it('outlive the session that bought them, and are complete', () => {
    const store = memoryShelf();
    keepTickets([orderOf('old', { createdAt: NOW - DAY_MS })], store, NOW);
    keepTickets([orderOf('new')], store, NOW + 60 * DAY_MS);
    expect(idsIn(store)).toEqual(['new', 'old']);
    expect(readKeptTickets(store)[1]).toEqual(orderOf('old', { createdAt: NOW - DAY_MS }));
  });

  it('are replaced by what the server says of them now', () => {
    const store = memoryShelf();
    keepTickets([orderOf('one')], store, NOW);
    keepTickets([{ ...orderOf('one'), status: 'refunded' }], store, NOW);
    expect(readKeptTickets(store)).toMatchObject([{ id: 'one', status: 'refunded' }]);
    expect(withKept([{ ...orderOf('one'), status: 'voided' }], readKeptTickets(store))).toMatchObject([
      { id: 'one', status: 'voided' },
    ]);
  });

  it('keep the code that brings them back, until another is told', () => {
    const kept = [{ ...orderOf('one'), recoveryCode: 'OLD' }];
    expect(withKept([orderOf('one')], kept)).toMatchObject([{ recoveryCode: 'OLD' }]);
    expect(withKept([{ ...orderOf('one'), recoveryCode: 'NEW' }], kept)).toMatchObject([
      { recoveryCode: 'NEW' },
    ]);
  });

  it('[P7] are let go a month after the show, and are never more than a list of orders', () => {
    const store = memoryShelf();
    keepTickets(
      [orderOf('over', { startsIn: -31 * DAY_MS }), orderOf('lately', { startsIn: -DAY_MS })],
      store,
      NOW,
    );
    expect(idsIn(store)).toEqual(['lately']);
    const many = Array.from({ length: 150 }, (_, index) => orderOf(`${index}`, { createdAt: NOW + index }));
    keepTickets(many, store, NOW);
    expect(idsIn(store)).toHaveLength(100);
    expect(idsIn(store)[0]).toBe('149');
  });

  it('are none where storage is forbidden, full, or holds something else', () => {
    expect(readKeptTickets(forbiddenShelf)).toEqual([]);
    expect(() => keepTickets([orderOf('one')], forbiddenShelf, NOW)).not.toThrow();
    for (const foreign of ['{', 'null', '{"a":1}', '[2,[{}]]', '[1,"x"]']) {
      expect(readKeptTickets(memoryShelf(new Map([['stampede:tickets', foreign]])))).toEqual([]);
    }
  });
});

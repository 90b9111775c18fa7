import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../engine/journal.ts';
import type { LedgerPage } from '../../server/tools/crowd/ledger.ts';
import type { CrowdShow } from '../../server/tools/shopper/ticket-office.ts';
import { reconcile } from './reconciliation.ts';

const EMPTY: LedgerPage = { sold: [], confirmed: [] };
const SOLD: LedgerPage = {
  sold: [{ seat: 3, orderId: 'o1', ticketCode: 'T' }],
  confirmed: [{ id: 'o1', idempotencyKey: 'crowd-abc-7-0', seats: [3] }],
};
// Only the number of seats is asked for.
const SHOW = { map: { seatCount: 10 } } as CrowdShow;
const told = (buyer: number, orderId: string): JournalEntry => ({
  type: 'told',
  seats: [{ buyer, orderId, seat: 3, ticketCode: 'T' }],
});
const TOLD = told(7, 'o1');

describe('reconciliation', () => {
  it('[P2] is clean when the database sold exactly what buyers were told', () => {
    expect(reconcile('abc', SHOW, EMPTY, SOLD, [TOLD])).toMatchObject({
      soldSeats: 1,
      toldSeats: 1,
      oversold: 0,
      isClean: true,
    });
  });

  it('[P1] finds a seat that two were told to own', () => {
    expect(reconcile('abc', SHOW, EMPTY, SOLD, [TOLD, told(8, 'o2')])).toMatchObject({
      oversold: 1,
      isClean: false,
    });
  });

  it('[P2] finds a sale that nobody was told of, unless its buyer had left undecided', () => {
    expect(reconcile('abc', SHOW, EMPTY, SOLD, []).findings).toEqual(
      new Map([['a seat was sold to a buyer who was never told', 1]]),
    );
    expect(reconcile('abc', SHOW, EMPTY, SOLD, [{ type: 'undecided', buyer: 7 }])).toMatchObject({
      undecided: 1,
      isClean: true,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { audit, type AuditedRun, type LedgerPage, RunKeys } from './ledger.ts';

const keys = new RunKeys('r1');
const EMPTY: LedgerPage = { sold: [], confirmed: [] };

const row = (seat: number, orderId: string) => ({ seat, orderId, ticketCode: `T${seat}` });
const confirmed = (id: string, seats: readonly number[], buyer: number | null) => ({
  id,
  idempotencyKey: buyer === null ? 'a-person-at-the-page' : keys.keyOf(buyer, 0),
  seats,
});
const told = (buyer: number, orderId: string, seat: number) => ({ buyer, ...row(seat, orderId) });

const HONEST: AuditedRun = {
  before: { sold: [row(9, 'old')], confirmed: [confirmed('old', [9], null)] },
  after: {
    sold: [row(9, 'old'), row(0, 'a'), row(1, 'a'), row(2, 'b'), row(5, 'p')],
    confirmed: [
      confirmed('old', [9], null),
      confirmed('a', [0, 1], 7),
      confirmed('b', [2], 8),
      confirmed('p', [5], null),
    ],
  },
  told: [told(7, 'a', 0), told(7, 'a', 1), told(8, 'b', 2)],
  keys,
  seatCount: 10,
  undecided: new Set(),
};
const kinds = (run: AuditedRun) => audit(run).findings.map(({ kind, buyer }) => `${buyer ?? '-'}: ${kind}`);

describe('[P1] the audit of a run', () => {
  it('counts the crowd’s seats apart from those of before and of others', () => {
    expect(audit(HONEST)).toEqual({ soldSeats: 3, soldToOthers: 1, oversold: 0, findings: [] });
  });

  it('finds one seat in two confirmed orders, though its row can only name one', () => {
    const { after } = HONEST;
    const twice = { ...after, confirmed: [...after.confirmed, confirmed('c', [2], 9)] };
    expect(audit({ ...HONEST, after: twice }).oversold).toBe(1);
    expect(kinds({ ...HONEST, after: twice })).toEqual([
      '9: a confirmed order has a seat that is not sold to it',
    ]);
  });

  it('finds a seat of which two buyers were told, whatever the database says', () => {
    const run = { ...HONEST, told: [...HONEST.told, told(9, 'b', 2)] };
    expect(audit(run).oversold).toBe(1);
  });

  it('finds a ticket that exists only in a buyer’s hand', () => {
    const run = { ...HONEST, told: [...HONEST.told, told(9, 'ghost', 4)] };
    expect(kinds(run)).toEqual(['9: a buyer was told of a ticket that the database does not have']);
  });

  it('finds a seat sold twice when a later buyer was given it over an earlier one', () => {
    const after = {
      ...HONEST.after,
      sold: HONEST.after.sold.map((one) => (one.seat === 9 ? row(9, 'b') : one)),
    };
    expect(audit({ ...HONEST, after }).oversold).toBe(1);
    expect(kinds({ ...HONEST, after })).toContain(
      '-: a seat that was sold before is no longer sold to the same order',
    );
  });

  it('finds a doubled row, should the key ever be gone', () => {
    const after = { ...HONEST.after, sold: [...HONEST.after.sold, row(2, 'b')] };
    expect(audit({ ...HONEST, after }).oversold).toBe(1);
  });

  it('[P2] finds a sale its buyer was never told of, unless they left before the outcome', () => {
    const run = { ...HONEST, told: HONEST.told.slice(0, 2) };
    expect(kinds(run)).toEqual(['8: a seat was sold to a buyer who was never told']);
    expect(kinds({ ...run, undecided: new Set([8]) })).toEqual([]);
  });

  it('sees nothing sold where nothing is', () => {
    expect(
      audit({ before: EMPTY, after: EMPTY, told: [], keys, seatCount: 1, undecided: new Set() }),
    ).toMatchObject({ soldSeats: 0, oversold: 0 });
  });

  it('finds a seat the show does not have', () => {
    expect(kinds({ ...HONEST, seatCount: 9 })).toEqual(['-: a seat was sold that the show does not have']);
  });
});

it('keys of a run name their buyer, and others name none', () => {
  expect(keys.buyerOf(keys.keyOf(123, 4))).toBe(123);
  expect(keys.buyerOf(new RunKeys('r2').keyOf(123, 4))).toBeNull();
});

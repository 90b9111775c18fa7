import { describe, expect, it } from 'vitest';
import type { OrderMessage, OrderStatus, Phase } from '@stampede/shared/protocol/messages.ts';
import { type Knowledge, situationOf } from './situation.ts';

const order = (status: OrderStatus, id = 'first'): OrderMessage => ({
  id,
  show: 4,
  status,
  seats: [1],
  amount: 100,
  currency: 'EUR',
  createdAt: 0,
  reason: '',
  tickets: status === 'confirmed' ? ['T'] : [],
});
const hold = (orderId: string | null) => ({
  holdToken: 1,
  seats: [1],
  expiresAt: 9,
  extensionsLeft: 1,
  orderId,
  payment: orderId === null ? ('none' as const) : ('accepted' as const),
});

const known = (
  changes: Partial<Omit<Knowledge, 'phase' | 'orders'>> = {},
  phase: Phase = 'open',
  orders: OrderMessage[] = [],
): Knowledge => ({
  connection: { state: 'open' },
  sale: { show: 4, epoch: 1, seatsPerBuyer: 4, holdLifetimeMs: 1_000 },
  phase: { phase, lobbyAt: 0, opensAt: 0 },
  standing: { state: 'admitted', deadline: 9 },
  hold: null,
  orders: new Map(orders.map((one) => [one.id, one])),
  ...changes,
});
const at = (knowledge: Knowledge, answered: readonly string[] = []) =>
  situationOf(knowledge, new Set(answered)).at;

describe('a buyer’s situation', () => {
  it('is read from standing and phase', () => {
    const waiting = { state: 'waiting', position: 3, behind: 4, wait: null } as const;
    expect(at(known({ standing: { state: 'unknown' } }))).toBe('away');
    expect(at(known({ standing: { state: 'outside', reason: 'not-joined' } }))).toBe('outside');
    expect(at(known({ standing: waiting }))).toBe('queued');
    expect(at(known())).toBe('shopping');
    expect(at(known({}, 'paused'))).toBe('early');
    expect(at(known({ standing: { state: 'outside', reason: 'not-joined' } }, 'scheduled'))).toBe('early');
    expect(at(known({}, 'sold-out'))).toBe('over');
    expect(at(known({}, 'closed'))).toBe('over');
  });

  it('is away while there is no connection or no show', () => {
    expect(at(known({ connection: { state: 'connecting' } }))).toBe('away');
    expect(at(known({ connection: { state: 'reconnecting', attempt: 1, nextAttemptAt: 0 } }))).toBe('away');
    expect(at(known({ sale: null }))).toBe('away');
  });

  it('lets a hold be paid in any phase', () => {
    expect(at(known({ hold: hold(null) }, 'paused'))).toBe('holding');
    expect(at(known({ hold: hold(null) }, 'closed'))).toBe('holding');
    expect(at(known({ hold: hold('first') }))).toBe('paying');
  });

  it('knows the fate of a payment, connected or not', () => {
    const away = { connection: { state: 'reconnecting', attempt: 1, nextAttemptAt: 0 } } as const;
    expect(at(known(away, 'open', [order('processing')]))).toBe('paying');
    expect(at(known(away, 'open', [order('confirmed')]))).toBe('owner');
    expect(at(known({ hold: hold('first') }, 'open', [order('processing')]))).toBe('paying');
  });

  it('takes in each decline once', () => {
    const declined = known({ hold: hold(null) }, 'open', [order('declined')]);
    expect(at(declined)).toBe('turned-down');
    expect(at(declined, ['first'])).toBe('holding');
    expect(at(known({}, 'open', [order('voided')]))).toBe('turned-down');
  });

  it('is ownership above all, and a payment under way before an old decline', () => {
    expect(at(known({}, 'sold-out', [order('declined', 'a'), order('confirmed', 'b')]))).toBe('owner');
    expect(at(known({}, 'open', [order('declined', 'a'), order('processing', 'b')]))).toBe('paying');
  });
});

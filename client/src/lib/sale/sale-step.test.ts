import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { describe, expect, it } from 'vitest';
import { saleStep, type SaleFacts } from './sale-step.ts';

const start: SaleFacts = {
  phase: 'open',
  standing: { state: 'outside', reason: 'not-joined' },
  hold: null,
  latestOrder: null,
  witnessedOrder: null,
  dismissedOrder: null,
  arriving: false,
  reviewing: false,
};
const waiting = { state: 'waiting', position: 9, behind: 1, wait: null } as const;
const admitted = { state: 'admitted', deadline: 1 } as const;
const finished = { state: 'outside', reason: 'finished' } as const;
const hold = {
  ...{ holdToken: 1, seats: [1], expiresAt: 1, extensionsLeft: 1 },
  ...{ orderId: null, payment: 'none' as const },
};
const order = (status: OrderMessage['status']): OrderMessage => ({
  id: 'order',
  show: 1,
  status,
  seats: [1],
  amount: 1,
  currency: 'EUR',
  createdAt: 1,
  reason: '',
  tickets: [],
});
const step = (facts: Partial<SaleFacts>) => saleStep({ ...start, ...facts });

describe('the step a buyer is at', () => {
  it('follows the phase while they are outside', () => {
    expect(step({ phase: 'scheduled' })).toBe('countdown');
    for (const phase of ['lobby', 'open', 'paused'] as const) expect(step({ phase })).toBe('entry');
    expect(step({ phase: 'sold-out' })).toBe('sold-out');
    expect(step({ phase: 'closed', standing: waiting })).toBe('closed');
  });

  it('is the lobby before the draw and the queue after it', () => {
    expect(step({ phase: 'lobby', standing: waiting })).toBe('lobby');
    expect(step({ standing: waiting })).toBe('queue');
    expect(step({ phase: 'paused', standing: waiting })).toBe('queue');
  });

  it('is no queue for who is next in line and just pressed: the seats are about to come', () => {
    const next = { ...waiting, position: 1 };
    expect(step({ standing: next, arriving: true })).toBe('entry');
    expect(step({ standing: next })).toBe('queue');
    expect(step({ standing: waiting, arriving: true })).toBe('queue');
    expect(step({ phase: 'lobby', standing: next, arriving: true })).toBe('lobby');
  });

  it('[P4] is found again after a reload with a hold or a running payment', () => {
    expect(step({ standing: admitted })).toBe('choose');
    expect(step({ hold })).toBe('choose');
    expect(step({ phase: 'sold-out', hold })).toBe('choose');
    expect(step({ hold: { ...hold, payment: 'handing-over' } })).toBe('checkout');
    expect(step({ hold: { ...hold, payment: 'accepted', orderId: 'order' } })).toBe('processing');
    expect(step({ latestOrder: order('processing'), standing: finished })).toBe('processing');
  });

  it('goes on after the end of the sale only for those who still have seats to pay for', () => {
    expect(step({ phase: 'closed', standing: admitted })).toBe('closed');
    expect(step({ phase: 'closed', standing: admitted, hold })).toBe('choose');
    expect(step({ phase: 'closed', standing: admitted, hold, reviewing: true })).toBe('checkout');
    expect(step({ phase: 'sold-out', standing: admitted })).toBe('choose');
  });

  it('is checking out only while there is something to pay for', () => {
    expect(step({ standing: admitted, hold, reviewing: true })).toBe('checkout');
    expect(step({ standing: admitted, reviewing: true })).toBe('choose');
    expect(step({ standing: admitted, hold, reviewing: true, latestOrder: order('declined') })).toBe(
      'checkout',
    );
  });

  it('shows an outcome that was just watched, or tickets found on return, until it is put aside', () => {
    const confirmed = order('confirmed');
    expect(step({ latestOrder: confirmed, witnessedOrder: 'order', standing: admitted })).toBe('confirmed');
    expect(step({ latestOrder: confirmed, standing: finished })).toBe('confirmed');
    expect(step({ latestOrder: confirmed, standing: finished, dismissedOrder: 'order' })).toBe('entry');
    expect(step({ latestOrder: confirmed, standing: waiting })).toBe('queue');
    expect(step({ latestOrder: order('voided'), witnessedOrder: 'order' })).toBe('voided');
    expect(step({ latestOrder: order('voided') })).toBe('entry');
  });
});

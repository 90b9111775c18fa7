import { describe, expect, it } from 'vitest';
import { type KeptState, lostOf } from './kept-state.ts';

const NOW = 1_000_000;

const state = (parts: Partial<KeptState>): KeptState => ({
  standing: { state: 'outside', reason: 'not-joined' },
  hold: null,
  sections: new Map(),
  ...parts,
});
const waiting = (position: number): KeptState =>
  state({ standing: { state: 'waiting', position, behind: 1_000 - position, wait: null } });
const holding = (holdToken: number, seats: readonly number[], expiresAt = NOW + 1): KeptState =>
  state({ hold: { holdToken, seats, expiresAt, extensionsLeft: 1, orderId: null, payment: 'none' } });
const watching = (epoch: number, sequence: number): KeptState =>
  state({ sections: new Map([[3, { epoch, sequence }]]) });

describe('what a reconnect lost', () => {
  it('[P4] a place may move forwards, and back only by what positions are rounded by', () => {
    expect(lostOf(waiting(700), waiting(650), NOW)).toBeNull();
    expect(lostOf(waiting(700), waiting(710), NOW)).toBeNull();
    expect(lostOf(waiting(700), waiting(711), NOW)).toBe('the place moved from 700 back to 711');
    expect(lostOf(waiting(7), state({}), NOW)).toBe('the place became outside');
    expect(lostOf(waiting(7), state({ standing: { state: 'admitted', deadline: NOW } }), NOW)).toBeNull();
  });

  it('[P4] an admission stays until its deadline', () => {
    const admitted = state({ standing: { state: 'admitted', deadline: NOW } });
    expect(lostOf(admitted, waiting(1), NOW - 1)).toBe('the admission became waiting');
    expect(lostOf(admitted, waiting(1), NOW)).toBeNull();
  });

  it('[P4] a hold keeps its token and its seats until it runs out', () => {
    expect(lostOf(holding(4, [1, 2]), holding(4, [1, 2, 3]), NOW)).toBeNull();
    expect(lostOf(holding(4, [1, 2]), holding(4, [1]), NOW)).toBe('the hold lost seats');
    expect(lostOf(holding(4, [1]), holding(5, [1]), NOW)).toBe('the hold is gone');
    expect(lostOf(holding(4, [1], NOW), state({}), NOW)).toBeNull();
  });

  it('[P5] a section goes on where it stood', () => {
    expect(lostOf(watching(1, 10), watching(1, 12), NOW)).toBeNull();
    expect(lostOf(watching(1, 10), watching(1, 9), NOW)).toBe('section 3 went back');
    expect(lostOf(watching(1, 10), watching(2, 0), NOW)).toBe('section 3 began anew');
    expect(lostOf(watching(1, 10), state({}), NOW)).toBe('section 3 began anew');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { phaseOf } from './waiting-room.ts';

const terms = { lobbyAt: 100, opensAt: 200, closesAt: 300 };

describe('phase of an on-sale', () => {
  test.each([
    [99, false, false, 'scheduled'],
    [100, false, false, 'lobby'],
    [199, true, true, 'lobby'],
    [200, false, false, 'open'],
    [200, true, false, 'paused'],
    [200, true, true, 'sold-out'],
    [299, false, true, 'sold-out'],
    [300, false, true, 'closed'],
    [300, true, false, 'closed'],
  ] as const)('at %i, paused %s, sold out %s: %s', (now, paused, soldOut, phase) => {
    expect(phaseOf(terms, paused, soldOut, now)).toBe(phase);
  });

  test('an on-sale whose lobby would begin after its opening has none', () => {
    const late = { ...terms, lobbyAt: 250 };
    expect(phaseOf(late, false, false, 199)).toBe('scheduled');
    expect(phaseOf(late, false, false, 200)).toBe('open');
    expect(phaseOf(late, false, false, 250)).toBe('open');
  });

  const instant = fc.integer({ min: 0, max: 1_000 });
  const anySale = fc.record({ lobbyAt: instant, opensAt: instant, closesAt: instant });

  test('time alone changes the phase at the instants of the sale only', () => {
    fc.assert(
      fc.property(anySale, fc.boolean(), fc.boolean(), instant, (sale, paused, soldOut, now) => {
        const at = (time: number) => phaseOf(sale, paused, soldOut, time);
        const next = Math.min(...Object.values(sale).filter((ahead) => ahead > now), 1_100);
        for (let time = now; time < next; time += 7) expect(at(time)).toBe(at(now));
        expect(at(next - 1)).toBe(at(now));
      }),
    );
  });

  test('time never leads back', () => {
    const order = ['scheduled', 'lobby', 'open', 'paused', 'sold-out', 'closed'];
    fc.assert(
      fc.property(anySale, fc.boolean(), fc.boolean(), instant, instant, (sale, paused, soldOut, a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((now) =>
          order.indexOf(phaseOf(sale, paused, soldOut, now)),
        );
        expect(late).toBeGreaterThanOrEqual(early!);
      }),
    );
  });
});

import { describe, expect, test } from 'vitest';
import { ManualClock } from './testing/manual-clock.ts';
import { seededRandom, systemRandom } from './random.ts';

describe('manual clock', () => {
  test('set back, it shows an earlier time, and what was planned comes after its delay', () => {
    const clock = new ManualClock(1_000_000);
    const done: number[] = [];
    clock.after(50, () => done.push(clock.now()));
    clock.set(-3_000);
    clock.advance(49);
    expect(done).toEqual([]);
    clock.advance(1);
    expect(done).toEqual([997_050]);
  });

  test('runs what falls due in the order of time, then of asking', () => {
    const clock = new ManualClock(0);
    const ran: string[] = [];
    clock.after(20, () => ran.push(`c@${clock.now()}`));
    clock.after(10, () => ran.push(`a@${clock.now()}`));
    clock.after(10, () => ran.push(`b@${clock.now()}`));
    clock.advance(20);
    expect(ran).toEqual(['a@10', 'b@10', 'c@20']);
  });

  test('runs what due tasks ask for, if it falls due too', () => {
    const clock = new ManualClock(0);
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    clock.advance(35);
    expect(ticks).toBe(3);
    expect(clock.now()).toBe(35);
  });

  test('does not run what was called off', () => {
    const clock = new ManualClock(0);
    let ran = false;
    const cancel = clock.after(10, () => {
      ran = true;
    });
    cancel();
    clock.advance(10);
    expect(ran).toBe(false);
  });
});

describe('randomness', () => {
  test('equal seeds give equal numbers, all in [0, 1)', () => {
    const [one, two] = [seededRandom(5), seededRandom(5)];
    for (let index = 0; index < 1_000; index++) {
      const number = one();
      expect(number).toBe(two());
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThan(1);
      expect(systemRandom()).toBeLessThan(1);
    }
  });
});

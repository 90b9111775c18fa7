import { expect, test } from 'vitest';
import { ServerTime } from './server-time.ts';

test('3.7 the frame that was fastest tells the offset best', () => {
  const time = new ServerTime();
  expect(time.offsetMs).toBe(0);
  time.sample(10_000, 9_300);
  expect(time.offsetMs).toBe(700);
  time.sample(11_000, 10_100);
  expect(time.offsetMs).toBe(900);
  time.sample(12_000, 11_900);
  expect(time.offsetMs).toBe(900);
});

test('3.7 a clock that was set starts the estimate anew, and so does another server', () => {
  const time = new ServerTime();
  time.sample(100_000, 99_000);
  time.sample(101_000, 3_700_000);
  expect(time.offsetMs).toBe(-3_599_000);
  time.reset();
  expect(time.offsetMs).toBe(0);
});

import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { expect, test } from 'vitest';
import { sparingReport } from './outside.ts';

test('what fails many times a second is told at once, and then every ten seconds with how often it came', () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const report = sparingReport({ clock, report: (message) => void told.push(message) });
  for (let tick = 0; tick < 101; tick++) {
    report('admissions failed', null);
    clock.advance(100);
  }
  expect(told).toEqual(['admissions failed', 'admissions failed (and 99 times before)']);
});

test('another trouble is another matter, and one that comes back after a rest is new', () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const report = sparingReport({ clock, report: (message) => void told.push(message) });
  report('one', null);
  report('other', null);
  clock.advance(60_000);
  report('one', null);
  expect(told).toEqual(['one', 'other', 'one']);
});

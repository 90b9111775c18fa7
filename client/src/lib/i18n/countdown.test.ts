import { describe, expect, it } from 'vitest';
import { announcementDue, clockText, timeLeft } from './countdown.ts';

describe('countdown', () => {
  it('splits what is left and rounds up, so that 0 means nothing is left', () => {
    expect(timeLeft(90_061_000)).toEqual({ days: 1, hours: 1, minutes: 1, seconds: 1, totalSeconds: 90_061 });
    expect(timeLeft(1).totalSeconds).toBe(1);
    expect(timeLeft(-5_000).totalSeconds).toBe(0);
  });

  it('writes minutes and seconds, with hours once there is one', () => {
    expect(clockText(299_000)).toBe('4:59');
    expect(clockText(9_000)).toBe('0:09');
    expect(clockText(3_723_000)).toBe('1:02:03');
    expect(clockText(90_000_000)).toBe('25:00:00');
  });

  it('announces at 60, 30 and 10 seconds, once each', () => {
    expect(announcementDue(61_000)).toBeNull();
    expect([60_000, 45_000].map(announcementDue)).toEqual([60, 60]);
    expect([30_000, 11_000].map(announcementDue)).toEqual([30, 30]);
    expect([10_000, 500].map(announcementDue)).toEqual([10, 10]);
    expect(announcementDue(0)).toBeNull();
  });
});

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { instantText, isLocalTime, zoneName } from './formats.ts';

const SEVEN_IN_SEOUL = new Date('2027-01-20T10:00:00Z');
const JULY = new Date('2027-07-20T10:00:00Z');

describe('an instant', () => {
  beforeAll(() => vi.stubEnv('TZ', 'Europe/Vienna'));
  afterAll(() => vi.unstubAllEnvs());

  it('is told as the clocks of the venue tell it, in the words of the language', () => {
    expect(instantText(SEVEN_IN_SEOUL, 'time', 'en', 'Asia/Seoul')).toMatch(/^7:00\sPM$/);
    expect(instantText(SEVEN_IN_SEOUL, 'time', 'en')).toMatch(/^11:00\sAM$/);
    expect(instantText(SEVEN_IN_SEOUL, 'weekday', 'ko', 'Asia/Seoul')).toBe('수');
    expect(zoneName(SEVEN_IN_SEOUL, 'en', 'Asia/Seoul')).toBe('GMT+9');
  });

  it('falls on the day of the venue, where it may be tomorrow already', () => {
    const late = new Date('2027-01-31T20:00:00Z');
    expect(instantText(late, 'dayOfMonth', 'ko', 'Asia/Seoul')).toBe('1');
    expect(instantText(late, 'month', 'en', 'Asia/Seoul')).toBe('Feb');
    expect(instantText(late, 'dayOfMonth', 'ko', 'Europe/Vienna')).toBe('31');
  });

  it('needs the name of no zone where both clocks agree, whatever the zones are called', () => {
    expect(isLocalTime(JULY, 'Europe/Berlin')).toBe(true);
    expect(isLocalTime(JULY, 'Europe/Lisbon')).toBe(false);
    // Zurich and Tunis agree in winter only.
    expect(isLocalTime(SEVEN_IN_SEOUL, 'Africa/Tunis')).toBe(true);
    expect(isLocalTime(JULY, 'Africa/Tunis')).toBe(false);
  });

  it('is told in UTC, and said to be, where the browser has never heard of the zone', () => {
    expect(instantText(SEVEN_IN_SEOUL, 'time', 'en', 'Mars/Olympus')).toMatch(/^10:00\sAM$/);
    expect(zoneName(SEVEN_IN_SEOUL, 'en', 'Mars/Olympus')).toBe('UTC');
    expect(isLocalTime(SEVEN_IN_SEOUL, 'Mars/Olympus')).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { calendarFile } from './calendar-file.ts';
import type { TicketOrder } from './ticket-order.ts';

const ticket = (seat: string) => ({
  code: `SECRET-${seat}`,
  place: { section: 'Left', row: 'A', seat },
  amount: 100,
});
const ORDER: TicketOrder = {
  id: '0198-order',
  status: 'confirmed',
  amount: 200,
  currency: 'KRW',
  recoveryCode: 'SECRET',
  createdAt: Date.parse('2026-11-21T15:00:00Z'),
  show: {
    id: 7,
    title: 'Rain, Wind; and \\ Snow',
    subtitle: '',
    venue: 'Hall',
    city: 'Seoul',
    startsAt: '2027-01-20T10:00:00.000Z',
    timeZone: 'Asia/Seoul',
  },
  tickets: [ticket('1'), ticket('2')],
};

const file = (order: TicketOrder = ORDER) =>
  calendarFile(order, {
    seats: ['Left, row A, seat 1', 'Left, row A, seat 2'],
    url: 'https://x.test/tickets',
  });
/** The lines as a calendar reads them: unfolded. */
const lines = (order?: TicketOrder) => file(order).replaceAll('\r\n ', '').split('\r\n');
const inZone = (startsAt: string, timeZone: string) =>
  lines({ ...ORDER, show: { ...ORDER.show, startsAt, timeZone } }).filter((line) =>
    /DTSTART;|TZOFFSETTO/.test(line),
  );

describe('a calendar file (RFC 5545)', () => {
  it('begins when the show does, by the clocks of the venue, whose offset it brings along', () => {
    expect(lines()).toEqual(
      expect.arrayContaining([
        'DTSTART;TZID=Asia/Seoul:20270120T190000',
        'TZID:Asia/Seoul',
        'TZOFFSETTO:+0900',
        'DTSTAMP:20261121T150000Z',
        'UID:0198-order@x.test',
      ]),
    );
  });

  it.each([
    ['2027-07-20T18:30:00Z', 'Europe/Vienna', '20270720T203000', '+0200'],
    ['2027-01-20T18:30:00Z', 'Europe/Vienna', '20270120T193000', '+0100'],
    ['2027-01-20T00:00:00Z', 'America/St_Johns', '20270119T203000', '-0330'],
    ['2027-01-20T00:00:00Z', 'Europe/London', '20270120T000000', '+0000'],
    ['2027-01-19T15:00:00Z', 'Asia/Seoul', '20270120T000000', '+0900'],
  ])('%s in %s is %s', (startsAt, zone, local, offset) => {
    expect(inZone(startsAt, zone)).toEqual([`TZOFFSETTO:${offset}`, `DTSTART;TZID=${zone}:${local}`]);
  });

  it('is in UTC where the browser has never heard of the zone', () => {
    const text = file({ ...ORDER, show: { ...ORDER.show, timeZone: 'Mars/Olympus' } });
    expect(text).toContain('\r\nDTSTART:20270120T100000Z\r\n');
    expect(text).not.toContain('VTIMEZONE');
  });

  it('names show, place and seats, escaped, but no ticket code: calendars are shared', () => {
    expect(lines()).toEqual(
      expect.arrayContaining([
        'SUMMARY:Rain\\, Wind\\; and \\\\ Snow',
        'LOCATION:Hall\\, Seoul',
        'DESCRIPTION:Left\\, row A\\, seat 1\\nLeft\\, row A\\, seat 2\\nhttps://x.test/tickets',
      ]),
    );
    expect(file()).not.toContain('SECRET');
  });

  it('folds lines at 75 octets, between characters, and ends each with CRLF', () => {
    const long = file({ ...ORDER, show: { ...ORDER.show, title: '비와 바람과 눈 🎫 '.repeat(12) } });
    const physical = long.split('\r\n');
    expect(physical.at(-1)).toBe('');
    for (const line of physical) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
    expect(long.replaceAll('\r\n ', '')).toContain(`SUMMARY:${'비와 바람과 눈 🎫 '.repeat(12)}\r\n`);
    expect(long).not.toContain('\ufffd');
  });

  it('a line break in a name begins no line of its own', () => {
    const text = file({ ...ORDER, show: { ...ORDER.show, title: 'A\r\nATTACH:file' } });
    expect(text).toContain('SUMMARY:A\\nATTACH:file\r\n');
  });
});

import type { TicketOrder } from './ticket-order.ts';

const LINE_OCTETS_MAX = 75;

/** What the file says besides the show: seats in the reader's words, and where the tickets are. */
export interface CalendarWords {
  readonly seats: readonly string[];
  readonly url: string;
}

/**
 * An iCalendar file (RFC 5545) with the show of an order. Ticket codes stay out of it: calendars are shared, and
 * read by assistants.
 */
export function calendarFile({ id, createdAt, show }: TicketOrder, { seats, url }: CalendarWords): string {
  const startsAt = new Date(show.startsAt);
  const wall = wallClock(startsAt, show.timeZone);
  const zone = wall ? zoneLines(show.timeZone, wall.offset) : [];
  const start = wall ? `DTSTART;TZID=${show.timeZone}:${wall.dateTime}` : `DTSTART:${utcDateTime(startsAt)}`;
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Stampede//Tickets//EN',
    ...zone,
    'BEGIN:VEVENT',
    `UID:${id}@${new URL(url).host}`,
    `DTSTAMP:${utcDateTime(new Date(createdAt))}`,
    start,
    `SUMMARY:${escaped(show.title)}`,
    `LOCATION:${escaped(`${show.venue}, ${show.city}`)}`,
    `DESCRIPTION:${escaped([...seats, url].join('\n'))}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ]
    .map((line) => `${folded(line)}\r\n`)
    .join('');
}

/** A zone must be described. The offset at the show's beginning is all that this file needs of it. */
function zoneLines(timeZone: string, offset: string): readonly string[] {
  return [
    'BEGIN:VTIMEZONE',
    `TZID:${timeZone}`,
    'BEGIN:STANDARD',
    'DTSTART:19700101T000000',
    `TZOFFSETFROM:${offset}`,
    `TZOFFSETTO:${offset}`,
    'END:STANDARD',
    'END:VTIMEZONE',
  ];
}

/** What the clocks of a zone show at an instant, and their offset; null where the browser does not know the zone. */
function wallClock(instant: Date, timeZone: string): { dateTime: string; offset: string } | null {
  try {
    const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    const name = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value;
    const [, sign = '+', hours = '00', minutes = '00'] = /([+-])(\d\d):(\d\d)/.exec(name ?? '') ?? [];
    const offsetMs = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
    const dateTime = utcDateTime(new Date(instant.getTime() + offsetMs)).slice(0, -1);
    return { dateTime, offset: `${sign}${hours}${minutes}` };
  } catch {
    return null;
  }
}

/** `20270120T100000Z` */
function utcDateTime(instant: Date): string {
  return instant.toISOString().replace(/[-:]|\.\d+/g, '');
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r\n|[\r\n]/g, '\\n');
}

/** Lines are bounded in octets; one that goes on does so after a space. */
function folded(line: string): string {
  const octets = new TextEncoder();
  let text = '';
  let used = 0;
  for (const character of line) {
    const { length } = octets.encode(character);
    if (used + length > LINE_OCTETS_MAX) {
      text += '\r\n ';
      used = 1;
    }
    text += character;
    used += length;
  }
  return text;
}

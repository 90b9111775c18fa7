const STYLES = {
  date: { dateStyle: 'full' },
  day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  moment: { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' },
  time: { hour: 'numeric', minute: '2-digit' },
  /** The digits alone, which languages otherwise write with a word. */
  dayOfMonth: { day: 'numeric' },
  month: { month: 'short' },
  weekday: { weekday: 'short' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** How much of an instant is told. */
export type InstantStyle = keyof typeof STYLES;

const formats = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();

/** Making a format takes a browser far longer than using it, so each is made once. */
function once<F extends Intl.DateTimeFormat | Intl.NumberFormat>(name: string, make: () => F): F {
  const format = formats.get(name) ?? make();
  formats.set(name, format);
  // Whoever asks by this name made it.
  return format as F;
}

function formatOf(language: string, style: string, options: Intl.DateTimeFormatOptions, timeZone?: string) {
  const make = () =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: timeZone && knownZone(timeZone) });
  return once(`${language} ${style} ${timeZone ?? ''}`, make);
}

/** Zones are renamed and split: a browser older than the venue's entry tells UTC, and says so, rather than nothing. */
function knownZone(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}

/** An instant as the clocks of a zone tell it; of the visitor's own where none is given. */
export function instantText(instant: Date, style: InstantStyle, language: string, timeZone?: string): string {
  const inDigits = style === 'dayOfMonth';
  return formatOf(inDigits ? 'en' : language, style, STYLES[style], timeZone).format(instant);
}

/** The short name of a zone at an instant (`GMT+9`), of the visitor's own where none is given. */
export function zoneName(instant: Date, language: string, timeZone?: string): string {
  const format = formatOf(language, 'zone', { timeZoneName: 'short' }, timeZone);
  return format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

/** Whether the visitor's clocks show the same as those of a zone at an instant; two zones often agree. */
export function isLocalTime(instant: Date, timeZone: string): boolean {
  const options = { timeZoneName: 'longOffset' } as const;
  const offsetIn = (zone?: string) => formatOf('en', 'offset', options, zone).format(instant);
  return offsetIn(timeZone) === offsetIn();
}

/**
 * An amount in minor units as text: 8550 EUR is €85.50, 132000 KRW is ₩132,000. How many minor units make one
 * is the currency's own affair (ISO 4217), and Intl knows it.
 */
export function moneyText(amount: number, currency: string, language: string): string {
  const options = {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    trailingZeroDisplay: 'stripIfInteger',
  } as const;
  const format = once(`${language} ${currency}`, () => new Intl.NumberFormat(language, options));
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
  return format.format(amount / 10 ** digits);
}

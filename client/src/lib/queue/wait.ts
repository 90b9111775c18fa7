import type { BrowserShelf } from '#lib/browser-shelf.ts';
import type { Dictionary } from '#lib/i18n/en.ts';

const MINUTE_S = 60;
const HOUR_S = 3_600;
/** From here on minutes would pretend to a precision that an estimate doesn't have. */
const HOURS_FROM_S = 90 * MINUTE_S;

/** An estimated wait as words: a band, or one value where both ends read the same. */
export function waitWords(
  { lowSeconds, highSeconds }: { readonly lowSeconds: number; readonly highSeconds: number },
  t: Dictionary,
  number: (value: number) => string,
): string {
  const { queue } = t;
  if (highSeconds < MINUTE_S) return queue.soon;
  const hours = (seconds: number) => Math.round((seconds / HOUR_S) * 2) / 2;
  const minutes = (seconds: number) => Math.round(seconds / MINUTE_S);
  if (highSeconds < HOURS_FROM_S) {
    const [low, high] = [minutes(lowSeconds), minutes(highSeconds)];
    const words = queue.minutes(high, number(high));
    if (low === high) return queue.about(words);
    return low === 0 ? queue.upTo(words) : queue.minutesBand(number(low), number(high));
  }
  const [low, high] = [hours(lowSeconds), hours(highSeconds)];
  const words = queue.hours(high, number(high));
  if (low === high) return queue.about(words);
  const lowWords =
    lowSeconds < HOURS_FROM_S
      ? queue.minutes(minutes(lowSeconds), number(minutes(lowSeconds)))
      : queue.hours(low, number(low));
  return queue.band(lowWords, words);
}

/**
 * The farthest place this tab has seen for a show: where the bar of progress begins, also after a reload. A place
 * farther back than any before begins a new wait.
 */
export function startOfWait(show: number, position: number, shelf: BrowserShelf): number {
  const name = `stampede:wait:${show}`;
  const start = Math.max(position, Number(shelf.read(name) ?? 0));
  if (start === position) shelf.keep(name, String(position));
  return start;
}

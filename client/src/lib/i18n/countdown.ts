const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Time left, split as a person reads it. Rounded up: a countdown shows 0 only when nothing is left. */
export interface TimeLeft {
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly totalSeconds: number;
}

export function timeLeft(leftMs: number): TimeLeft {
  const totalSeconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  return {
    days: Math.floor(totalSeconds / DAY_S),
    hours: Math.floor((totalSeconds % DAY_S) / HOUR_S),
    minutes: Math.floor((totalSeconds % HOUR_S) / MINUTE_S),
    seconds: totalSeconds % MINUTE_S,
    totalSeconds,
  };
}

const two = (value: number) => String(value).padStart(2, '0');

/** `4:59`, from an hour on `1:02:03`: for clocks that stay below a day. */
export function clockText(leftMs: number): string {
  const { totalSeconds, minutes, seconds } = timeLeft(leftMs);
  const hours = Math.floor(totalSeconds / HOUR_S);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** Seconds left at which a hold's end is said aloud: often enough to act, rarely enough not to nag. */
const ANNOUNCED_AT_S = [60, 30, 10] as const;

/** The announcement that is due at this moment: the smallest threshold reached, or null while there's time. */
export function announcementDue(leftMs: number): number | null {
  const { totalSeconds } = timeLeft(leftMs);
  if (totalSeconds === 0) return null;
  return ANNOUNCED_AT_S.findLast((threshold) => totalSeconds <= threshold) ?? null;
}

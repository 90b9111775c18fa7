/** Seconds until admission: it will most likely lie between the two. */
export interface WaitEstimate {
  readonly lowSeconds: number;
  readonly highSeconds: number;
}

/** What is known about how fast people are let in, per second. */
export interface AdmissionPace {
  /** null while nothing was measured. */
  readonly measured: number | null;
  readonly configured: number;
  readonly paused: boolean;
}

/** How far off a steady measured rate usually is. */
const MEASURED_ERROR = 0.1;
/** The configured rate is a limit: a full shop lets people in more slowly, hardly ever faster. */
const CONFIGURED_ERROR_LOW = 0.1;
const CONFIGURED_ERROR_HIGH = 0.5;
/** A wait past this is no estimate but a guess. */
const ESTIMATED_SECONDS_MAX = 24 * 3_600;

/**
 * The wait of who stands at `position` (1 is next): position / rate, as a band that widens where few people are
 * left, because chance weighs more on small numbers. null while the sale is paused and where no rate is known.
 */
export function estimateWait(position: number, pace: AdmissionPace): WaitEstimate | null {
  const perSecond = pace.measured ?? pace.configured;
  if (pace.paused || perSecond <= 0) return null;
  const seconds = position / perSecond;
  if (seconds > ESTIMATED_SECONDS_MAX) return null;
  const chance = 1 / Math.sqrt(Math.max(1, position));
  const low = pace.measured === null ? CONFIGURED_ERROR_LOW : MEASURED_ERROR;
  const high = pace.measured === null ? CONFIGURED_ERROR_HIGH : MEASURED_ERROR;
  return {
    lowSeconds: Math.floor(seconds * Math.max(0, 1 - low - chance)),
    highSeconds: Math.ceil(seconds * (1 + high + chance)),
  };
}

/** Admissions counted with a weight that fades with age. Instants in milliseconds since the Unix epoch. */
export interface AdmissionRate {
  /** Weighted admissions after `since`, as of `at`. */
  readonly weight: number;
  readonly since: number;
  readonly at: number;
}

/** After this long an admission counts 1/e: long enough to be steady, short enough to notice a change. */
const FADE_MS = 30_000;
/** A shorter measurement says more about chance than about the rate. */
const MEASURED_AFTER_MS = 5_000;
const MS_PER_SECOND = 1_000;

/**
 * Counts `admitted` people let in at `now`. Measuring begins with the first admissions, which themselves don't
 * count: they emptied a bucket that had filled up, and say nothing about the rate that follows.
 */
export function countAdmissions(rate: AdmissionRate | null, admitted: number, now: number): AdmissionRate {
  if (!rate) return { weight: 0, since: now, at: now };
  const at = Math.max(rate.at, now);
  return { weight: faded(rate, at) + admitted, since: rate.since, at };
}

/** Admissions per second around `now`; null while too little was seen. */
export function measuredRate(rate: AdmissionRate | null, now: number): number | null {
  if (!rate || now - rate.since < MEASURED_AFTER_MS) return null;
  // The share of the fading window that has been watched: without it a young measurement would read too low.
  const watchedMs = FADE_MS * (1 - Math.exp((rate.since - now) / FADE_MS));
  return (faded(rate, now) / watchedMs) * MS_PER_SECOND;
}

function faded(rate: AdmissionRate, at: number): number {
  return rate.weight * Math.exp(Math.min(0, rate.at - at) / FADE_MS);
}

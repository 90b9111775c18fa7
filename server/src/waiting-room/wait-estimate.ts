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

/** How fast and how far a bucket fills. A `burst` below 1 never lets anybody through. */
export interface BucketLimits {
  readonly perSecond: number;
  readonly burst: number;
}

/** Permissions in store at an instant (milliseconds since the Unix epoch); parts of one are kept. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: number;
}

const MS_PER_SECOND = 1_000;

/** Adding up tenths gives 0.999…; this much short of a whole token counts as one, and is owed by the next. */
const ROUNDING = 1e-9;

export function fullBucket(limits: BucketLimits, at: number): TokenBucket {
  return { tokens: limits.burst, at };
}

/**
 * The bucket at `now`, so that any stretch of t seconds gives at most `burst + perSecond · t` [A2]. One that was
 * filled in the future, before its clock was set back, counts as filled now; a lowered `burst` holds at once.
 */
export function refill(bucket: TokenBucket, limits: BucketLimits, now: number): TokenBucket {
  const elapsedMs = Math.max(0, now - bucket.at);
  const tokens = bucket.tokens + (elapsedMs * limits.perSecond) / MS_PER_SECOND;
  return { tokens: Math.min(limits.burst, tokens), at: now };
}

/** Whole permissions in the bucket. */
export function available(bucket: TokenBucket): number {
  return Math.max(0, Math.floor(bucket.tokens + ROUNDING));
}

/** The bucket after `count` permissions, at most `available`, were used. */
export function take(bucket: TokenBucket, count: number): TokenBucket {
  return { tokens: bucket.tokens - count, at: bucket.at };
}

import type { Random } from '@stampede/shared/platform/random.ts';

export const PACE_NAMES = ['fast', 'human'] as const;
export type PaceName = (typeof PACE_NAMES)[number];

/** Shortest and longest time in milliseconds; all between are equally likely. */
type Span = readonly [minMs: number, maxMs: number];

/** What buyers take their time for. */
export interface Pace {
  /** Finding seats on a map seen for the first time. */
  readonly look: Span;
  /** Finding others after somebody was faster. */
  readonly again: Span;
  /** Reading what it costs, typing a card number, taking in a decline. */
  readonly pay: Span;
}

export const PACES: Readonly<Record<PaceName, Pace>> = {
  fast: { look: [150, 900], again: [80, 450], pay: [200, 1_200] },
  human: { look: [2_000, 9_000], again: [800, 3_500], pay: [6_000, 25_000] },
};

export function isPaceName(text: string): text is PaceName {
  return PACE_NAMES.some((name) => name === text);
}

/** One buyer's time for something, in milliseconds. */
export function thinkTime([minMs, maxMs]: Span, random: Random): number {
  return minMs + random() * (maxMs - minMs);
}

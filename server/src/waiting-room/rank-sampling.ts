import { LATE_SCORE_MIN } from './draw-score.ts';

/** A waiting session of this node as the sampling sees it. */
export interface SampledPlace {
  readonly score: number;
  /** Last known rank, or the most that it can be; null before anything is known. */
  readonly ahead: number | null;
  /** Whether the store told that rank, or it follows from others. */
  readonly exact: boolean;
}

/** A place whose rank the store has just told. */
export interface Anchor {
  readonly index: number;
  readonly ahead: number;
}

/** Ranks are exact for this many of a node's places from the head on. */
export const EXACT_PLACES_MAX = 200;
/** The queue, and a node's own places, are cut into this many pieces; twice as fine as the promised 1 %. */
const PIECES = 200;
/** A stretch longer than this part of the queue is cut at the next tick, before it grows to the promised 1 %. */
const UNSURE_MAX = 0.008;
/** A stretch that is too unsure is cut into this many at the next tick: all of a sparse node's few places in it. */
const SPLITS = 8;

/**
 * Chooses the places of a node whose ranks to ask for, as ascending indexes into `own`, which is sorted by score:
 * the first 200; one wherever the last known ranks or the node's own places have gone on by half a percent; both
 * sides of every larger step in rank, so that nothing is concluded across it; cuts through stretches that are unsure by more
 * than 1 % of the queue; the end. Some 600, and at most about 2,300, however many wait: there can't be more than
 * a hundred unsure stretches in one queue. A stretch without any known rank is cut by number, and the next ticks
 * refine it where it turns out long.
 */
export function chooseAnchors(own: readonly SampledPlace[], waiting: number): number[] {
  const rankStep = waiting / PIECES;
  const indexStep = own.length / PIECES;
  const cuts = cutsOfUnsure(own, waiting * UNSURE_MAX);
  const anchors: number[] = [];
  let last = 0;
  const anchor = (index: number) => {
    if (anchors.at(-1) !== index) anchors.push(index);
    last = index;
  };
  for (let index = 0; index < own.length; index++) {
    const exact = index < EXACT_PLACES_MAX || index === own.length - 1;
    const from = own[last];
    const here = own[index];
    if (from && here && index > last && isStep(from, here, rankStep)) {
      anchor(index - 1);
      anchor(index);
    } else if (exact || index - last >= indexStep || cuts.has(index)) {
      anchor(index);
    }
  }
  return anchors;
}

/** Whether nothing may be concluded across the way between two places: it is long, or the draw ends on it. */
function isStep(from: SampledPlace, to: SampledPlace, rankStep: number): boolean {
  if (from.score < LATE_SCORE_MIN && to.score >= LATE_SCORE_MIN) return true;
  return from.ahead !== null && to.ahead !== null && to.ahead - from.ahead >= rankStep;
}

/** Indexes that cut, and the ends of, every stretch that is longer than `unsureMax` ranks. */
function cutsOfUnsure(own: readonly SampledPlace[], unsureMax: number): Set<number> {
  const cuts = new Set<number>();
  let from: number | null = null;
  for (const [index, { exact, ahead }] of own.entries()) {
    if (!exact || ahead === null) continue;
    const length = index - (from ?? index);
    if (from !== null && length > 1 && ahead - (own[from]?.ahead ?? ahead) > unsureMax) {
      for (let part = 0; part <= SPLITS; part++) cuts.add(from + Math.round((length * part) / SPLITS));
    }
    from = index;
  }
  return cuts;
}

/** Between which ranks a place was when the store was asked, both included. */
export interface RankBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * What the ranks of the anchors say of all of a node's `count` places: who stands between two anchors is behind the
 * one and in front of the other. That is all that is sure. How many of the node's own stand between is not, because
 * who left a moment ago may still be counted here; and nobody may be told a better place than theirs.
 */
export function boundRanks(count: number, anchors: readonly Anchor[], waiting: number): RankBounds[] {
  const bounds: RankBounds[] = [];
  let least = 0;
  for (const { index, ahead } of [...anchors, { index: count, ahead: waiting }]) {
    const between = { least, most: Math.max(least, ahead - 1) };
    while (bounds.length < index) bounds.push(between);
    if (index < count) bounds.push({ least: ahead, most: ahead });
    least = ahead + 1;
  }
  return bounds;
}

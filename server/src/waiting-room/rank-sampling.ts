import { LATE_SCORE_MIN } from './draw-score.ts';

/** A waiting session of this node as the sampling sees it. */
export interface SampledPlace {
  readonly score: number;
  /** Last known rank; null before any is. */
  readonly ahead: number | null;
  /** Whether the store told that rank, or it was guessed from others. */
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
/** No rank may be unsure by more than this part of the queue. */
const UNSURE_MAX = 0.01;
/** A stretch that is too unsure is cut into this many at the next tick. */
const SPLITS = 4;

/**
 * Chooses the places of a node whose ranks to ask for, as ascending indexes into `own`, which is sorted by score:
 * the first 200; one wherever the last known ranks or the node's own places have gone on by half a percent; both
 * sides of every larger step in rank, so that no guess spans it; cuts through stretches that are unsure by more
 * than 1 % of the queue; the end. Some 600, and at most about 1,800, however many wait: there can't be more than
 * a hundred unsure stretches in one queue. A stretch without any known rank is cut by number, and the next ticks
 * refine it where the guess may be wrong.
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

/** Whether no guess may span the way between two places: it is long, or the draw ends on it. */
function isStep(from: SampledPlace, to: SampledPlace, rankStep: number): boolean {
  if (from.score < LATE_SCORE_MIN && to.score >= LATE_SCORE_MIN) return true;
  return from.ahead !== null && to.ahead !== null && to.ahead - from.ahead >= rankStep;
}

/** Indexes that cut, and the ends of, every stretch whose places may be off by more than `unsureMax` ranks. */
function cutsOfUnsure(own: readonly SampledPlace[], unsureMax: number): Set<number> {
  const cuts = new Set<number>();
  let from: number | null = null;
  for (const [index, { exact, ahead }] of own.entries()) {
    if (!exact || ahead === null) continue;
    const length = index - (from ?? index);
    if (from !== null && length > 1 && ahead - (own[from]?.ahead ?? ahead) - length > unsureMax) {
      for (let part = 0; part <= SPLITS; part++) cuts.add(from + Math.round((length * part) / SPLITS));
    }
    from = index;
  }
  return cuts;
}

/**
 * The ranks of all of a node's places, from those of the anchors. Between two anchors ranks rise with the scores:
 * drawn ones are spread evenly by their hash, late ones are consecutive but for those who left. Nothing is guessed
 * that can't be: the result rises, and leaves room for the places between.
 */
export function interpolateRanks(
  own: readonly SampledPlace[],
  anchors: readonly Anchor[],
  waiting: number,
): number[] {
  const ranks: number[] = [];
  let from: Anchor = { index: -1, ahead: -1 };
  for (const to of [...anchors, { index: own.length, ahead: waiting }]) {
    for (let index = from.index + 1; index < to.index; index++) {
      const guess = from.ahead + (to.ahead - from.ahead) * shareOfWay(own, from.index, index, to.index);
      const least = (ranks.at(-1) ?? -1) + 1;
      ranks.push(Math.max(least, Math.min(Math.round(guess), to.ahead - (to.index - index))));
    }
    if (to.index < own.length) ranks.push(to.ahead);
    from = to;
  }
  return ranks;
}

/** How far `index` lies between two indexes: by score, or by number where one of them is past an end. */
function shareOfWay(own: readonly SampledPlace[], from: number, index: number, to: number): number {
  const [low, here, high] = [own[from]?.score, own[index]?.score, own[to]?.score];
  if (low === undefined || here === undefined || high === undefined || high <= low) {
    return (index - from) / (to - from);
  }
  return (here - low) / (high - low);
}

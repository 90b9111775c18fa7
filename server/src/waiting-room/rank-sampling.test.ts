import { seededRandom } from '@stampede/shared/platform/random.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LATE_SCORE_MIN } from './draw-score.ts';
import { boundRanks, chooseAnchors, EXACT_PLACES_MAX, type SampledPlace } from './rank-sampling.ts';

interface Line {
  readonly scores: readonly number[];
  /** Ranks of the places that are this node's own. */
  readonly own: readonly number[];
}

/** One tick: asks for anchors, and returns the places with what is then believed of them. */
function askOnce(line: Line, before: readonly SampledPlace[]): SampledPlace[] {
  const waiting = line.scores.length;
  const anchors = chooseAnchors(before, waiting).map((index) => ({ index, ahead: line.own[index]! }));
  const bounds = boundRanks(before.length, anchors, waiting);
  const told = new Set(anchors.map(({ index }) => index));
  // What was known stays known: ranks only fall.
  return before.map(({ score, ahead }, index) => ({
    score,
    ahead: Math.min(ahead ?? Infinity, bounds[index]!.most),
    exact: told.has(index),
  }));
}

function unknown(line: Line): SampledPlace[] {
  return line.own.map((rank) => ({ score: line.scores[rank]!, ahead: null, exact: false }));
}

/** How much too high the highest of the beliefs is; none may be too low. */
function worstError(line: Line, believed: readonly SampledPlace[]): number {
  const errors = believed.map(({ ahead }, index) => ahead! - line.own[index]!);
  expect(Math.min(0, ...errors), 'nobody is believed to be further in front than they are').toBe(0);
  return Math.max(0, ...errors);
}

/** Ticks until the bound holds on any queue whatever, and it must go on holding. */
const REFINED_AFTER_TICKS = 5;

function expectRefined(line: Line): void {
  let believed = unknown(line);
  for (let tick = 1; tick <= 2 * REFINED_AFTER_TICKS; tick++) {
    believed = askOnce(line, believed);
    if (tick < REFINED_AFTER_TICKS) continue;
    expect(worstError(line, believed)).toBeLessThanOrEqual(Math.max(1, line.scores.length / 100));
  }
}

const anyLine = fc.record({
  seed: fc.integer(),
  drawn: fc.integer({ min: 0, max: 8_000 }),
  late: fc.integer({ min: 0, max: 8_000 }),
  share: fc.double({ min: 0.01, max: 1, noNaN: true }),
});

/** A queue of drawn and late places, some of which are this node's own with a chance that `mine` may vary by rank. */
function lineOf(
  { seed, drawn, late }: { seed: number; drawn: number; late: number },
  mine: (along: number, random: number) => boolean,
): Line {
  const random = seededRandom(seed);
  const lottery = Array.from({ length: drawn }, () => Math.floor(random() * LATE_SCORE_MIN));
  const comers = Array.from({ length: late }, (_, count) => LATE_SCORE_MIN + count);
  // Every fourth or so left again, anywhere.
  const scores = [...new Set(lottery.sort((a, b) => a - b)), ...comers].filter(() => random() > 0.25);
  const own = scores.flatMap((_, rank) => (mine(rank / scores.length, random()) ? [rank] : []));
  return { scores, own };
}

describe('ranks from a few samples', () => {
  test('error at most 1 % of the queue from the second tick on, on the queues that a draw and arrivals make', () => {
    fc.assert(
      fc.property(anyLine, ({ share, ...queue }) => {
        const line = lineOf(queue, (_, random) => random < share);
        const believed = askOnce(line, askOnce(line, unknown(line)));
        expect(worstError(line, believed)).toBeLessThanOrEqual(Math.max(1, line.scores.length / 100));
      }),
      // Cut into four, a stretch of five places kept one that nobody asked for, far in front of the next.
      { examples: [[{ seed: 1_707_819_218, drawn: 1_788, late: 6_880, share: 0.1302811985369772 }]] },
    );
  });

  const anyWaves = fc.double({ min: 1, max: 40, noNaN: true });

  test('error at most 1 % within five ticks when this node has some stretches and hardly any of others', () => {
    fc.assert(
      fc.property(anyLine, anyWaves, ({ share, ...queue }, waves) => {
        const line = lineOf(queue, (along, random) =>
          Math.sin(along * waves) > 0 ? random < share : random < 0.002,
        );
        expectRefined(line);
      }),
    );
  });

  test('error at most 1 % within five ticks when whole stretches of the queue have left, too', () => {
    fc.assert(
      fc.property(anyLine, anyWaves, ({ share, ...queue }, waves) => {
        const full = lineOf(queue, () => true);
        const end = full.scores.length;
        const scores = full.scores.filter((_, rank) => Math.sin((rank / end) * waves) > -0.3);
        const random = seededRandom(queue.seed);
        expectRefined({ scores, own: scores.flatMap((_, rank) => (random() < share ? [rank] : [])) });
      }),
    );
  });

  test('near the head, at anchors and on small nodes ranks are exact', () => {
    const line = lineOf({ seed: 7, drawn: 5_000, late: 5_000 }, (_, random) => random < 0.3);
    const believed = askOnce(line, unknown(line));
    const exact = [...Array(EXACT_PLACES_MAX).keys(), ...chooseAnchors(unknown(line), line.scores.length)];
    for (const index of exact) expect(believed[index]!.ahead).toBe(line.own[index]);
    const small = { ...line, own: line.own.slice(-EXACT_PLACES_MAX) };
    expect(worstError(small, askOnce(small, unknown(small)))).toBe(0);
  });

  test('[P7] a hundred thousand places cost some hundred ranks a tick', () => {
    const line = lineOf({ seed: 3, drawn: 60_000, late: 60_000 }, () => true);
    let believed = unknown(line);
    for (let tick = 0; tick < 3; tick++) {
      expect(chooseAnchors(believed, line.scores.length).length).toBeLessThan(1_000);
      believed = askOnce(line, believed);
    }
  });

  test('[P4] nobody is bounded by what is not so, though the end did not answer', () => {
    fc.assert(
      fc.property(anyLine, fc.integer({ min: 0, max: 50 }), ({ share, ...queue }, silent) => {
        const line = lineOf(queue, (_, random) => random < share);
        const places = unknown(line);
        const anchors = chooseAnchors(places, line.scores.length).map((index) => ({
          index,
          ahead: line.own[index]!,
        }));
        const kept = anchors.slice(0, Math.max(0, anchors.length - silent));
        const bounds = boundRanks(places.length, kept, line.scores.length);
        expect(bounds).toHaveLength(places.length);
        const wrong = bounds.filter(
          ({ least, most }, index) => least > line.own[index]! || most < line.own[index]!,
        );
        expect(wrong).toEqual([]);
      }),
    );
  });
});

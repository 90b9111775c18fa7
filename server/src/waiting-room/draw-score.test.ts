import { describe, expect, test } from 'vitest';
import { sessionId } from '../platform/ids.ts';
import { drawCommitment, drawScore, LATE_SCORE_MIN, lateScore } from './draw-score.ts';

const SEED = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const BUCKETS = 16;
const DRAWS = 16_000;

describe('the draw', () => {
  test('gives what openssl gives', () => {
    expect(drawScore(SEED, sessionId('session-of-the-vector'))).toBe(0x1ed9479bc4fb5);
  });

  test('is committed to by the hash that sha256sum gives', () => {
    expect(drawCommitment(SEED)).toBe('630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd');
  });

  test('another seed draws anew', () => {
    const session = sessionId('anna');
    expect(drawScore(SEED, session)).not.toBe(drawScore(SEED.replace('00', 'ff'), session));
  });

  test('of many shows at once: each keeps to its own seed', () => {
    const seeds = Array.from({ length: 300 }, (_, index) =>
      drawCommitment(index.toString(16).padStart(4, '0')),
    );
    const draw = () => seeds.map((seed) => drawScore(seed, sessionId('anna')));
    const scores = draw();
    expect(new Set(scores).size).toBe(seeds.length);
    expect(draw()).toEqual(scores);
    expect(drawScore(SEED, sessionId('session-of-the-vector'))).toBe(0x1ed9479bc4fb5);
  });

  test('spreads sessions evenly and never reaches the late scores', () => {
    const counts = new Array<number>(BUCKETS).fill(0);
    for (let index = 0; index < DRAWS; index++) {
      const score = drawScore(SEED, sessionId(`session-${String(index)}`));
      expect(Number.isSafeInteger(score) && score >= 0 && score < LATE_SCORE_MIN).toBe(true);
      counts[Math.floor((score / LATE_SCORE_MIN) * BUCKETS)]! += 1;
    }
    const expected = DRAWS / BUCKETS;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 15 degrees of freedom: a fair draw exceeds this once in a thousand seeds, and the seed is fixed.
    expect(chiSquare).toBeLessThan(37.7);
  });

  test('the late stand behind the whole draw in the order they came', () => {
    expect(lateScore(0)).toBe(2 ** 52);
    expect(lateScore(1)).toBeGreaterThan(lateScore(0));
    expect(Number.isSafeInteger(lateScore(10 ** 9))).toBe(true);
  });
});

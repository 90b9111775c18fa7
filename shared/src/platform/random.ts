/** Randomness as a port: a number in `[0, 1)`. */
export type Random = () => number;

const RANGE_32_BIT = 2 ** 32;

/** Randomness from the platform's cryptographic generator; fit for jitter and for ids alike. */
export const systemRandom: Random = () => {
  const word = new Uint32Array(1);
  crypto.getRandomValues(word);
  return (word[0] ?? 0) / RANGE_32_BIT;
};

/** A repeatable generator (mulberry32) for tests, simulated crowds and fuzzing: equal seeds, equal numbers. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / RANGE_32_BIT;
  };
}

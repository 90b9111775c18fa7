import type { Random } from '@stampede/shared/platform/random.ts';

/** The wire has 32 bits: half of them are left for the epochs that follow the first one of a show. */
const FIRST_EPOCHS = 2 ** 31 - 1;

/**
 * Makes epochs at random: no clock and no store that lost its memory can lead to one that was used before, and let
 * somebody go on with another history [P5].
 */
export function newEpochs(random: Random): () => number {
  return () => 1 + Math.floor(random() * FIRST_EPOCHS);
}

import { expect, test } from 'vitest';
import { runMixedFaults } from '../../tools/faults/mixed-faults.ts';

/** The short form of `npm run faults -- mixed`, with those faults that lose what people were told most easily. */
test(
  '[P1] [P2] [P3] while faults of Redis and workers follow one another, every word that people were told comes true',
  { timeout: 240_000 },
  async () => {
    const said: string[] = [];
    const result = await runMixedFaults({
      minutes: 0.4,
      people: 12,
      seed: 7,
      holdLifetimeMs: 5_000,
      only: ['Redis', 'worker'],
      say: (line) => void said.push(line),
    });
    const { verdict, impossible, crashes } = result;
    expect({ verdict, impossible, crashes }, said.join('\n')).toEqual({
      verdict: { unended: [], contradicted: [], books: [], seats: [] },
      impossible: [],
      crashes: [],
    });
    expect(result.confirmed, 'people bought meanwhile').toBeGreaterThan(10);
  },
);

import { describe, expect, test } from 'vitest';
import { topSelfTimes } from './cpu-profile.ts';

const node = (id: number, functionName: string, url = '', lineNumber = 0) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

describe('CPU profiles', () => {
  test('functions are ranked by their own share of the busy time', () => {
    const nodes = [
      node(1, '(root)'),
      node(2, '(idle)'),
      node(3, 'pack', 'file:///x/server/src/platform/packing.ts', 9),
      node(4, '(garbage collector)'),
      node(5, 'pack', 'file:///x/server/src/platform/packing.ts', 9),
      node(6, ''),
    ];
    const samples = [2, 3, 4, 5, 6, 1];
    const timeDeltas = [1_000, 30, 20, 40, 10, 5];
    expect(topSelfTimes({ nodes, samples, timeDeltas }, 2)).toEqual([
      { where: 'pack platform/packing.ts:10', share: 0.7 },
      { where: '(garbage collector)', share: 0.2 },
    ]);
  });

  test('something else is an error', () => {
    expect(() => topSelfTimes({}, 1)).toThrow();
  });
});

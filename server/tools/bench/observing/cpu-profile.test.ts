import { describe, expect, test } from 'vitest';
import { SelfTimes } from './cpu-profile.ts';

const node = (id: number, functionName: string, url = '', lineNumber = 0) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});
const PACKING = 'file:///x/server/src/platform/packing.ts';

describe('CPU profiles', () => {
  test('functions are ranked by their own share of the busy time', () => {
    const nodes = [
      node(1, '(root)'),
      node(2, '(idle)'),
      node(3, 'pack', PACKING, 9),
      node(4, '(garbage collector)'),
      node(5, 'pack', PACKING, 9),
      node(6, '', 'file:///x/node_modules/ioredis/built/Redis.js'),
    ];
    const times = new SelfTimes();
    times.add({
      nodes,
      samples: [2, 3, 4, 5, 6, 1],
      timeDeltas: [1e6, 30_000, 20_000, 40_000, 10_000, 5_000],
    });
    expect(times.top(3)).toEqual([
      { where: 'pack platform/packing.ts:10', ms: 70, share: 0.7 },
      { where: '(garbage collector)', ms: 20, share: 0.2 },
      { where: '(anonymous) ioredis/built/Redis.js:1', ms: 10, share: 0.1 },
    ]);
  });

  test('several windows add up, whatever numbers their functions have there', () => {
    const times = new SelfTimes();
    times.add({
      nodes: [node(1, 'pack', PACKING), node(2, 'send')],
      samples: [1, 2],
      timeDeltas: [3_000, 1_000],
    });
    times.add({ nodes: [node(7, 'send'), node(1, '(idle)')], samples: [7, 1], timeDeltas: [4_000, 9_000] });
    expect(times.top(1)).toEqual([{ where: 'send', ms: 5, share: 5 / 8 }]);
    expect(times.totalMs).toBe(8);
  });

  test('something else is an error', () => {
    expect(() => new SelfTimes().add({})).toThrow();
  });
});

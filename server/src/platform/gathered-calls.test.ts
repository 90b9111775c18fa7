import { describe, expect, it } from 'vitest';
import { GatheredCalls } from './gathered-calls.ts';

/** Calls that end when the test says so, and turns that come when it says so. */
function stand({ itemsMax = 100, callsMax = 1 } = {}) {
  const batches: (readonly number[])[] = [];
  const gates: PromiseWithResolvers<readonly string[]>[] = [];
  const turns: (() => void)[] = [];
  const calls = new GatheredCalls<number, string>(
    (items) => {
      batches.push(items);
      const gate = Promise.withResolvers<readonly string[]>();
      gates.push(gate);
      return gate.promise;
    },
    (task) => void turns.push(task),
    { itemsMax, callsMax },
  );
  const end = (): void => gates.shift()?.resolve((batches.at(-1) ?? []).map(String));
  const fail = (cause: Error): void => gates.shift()?.reject(cause);
  const turn = (): void => turns.shift()?.();
  return { calls, batches, gates, turns, turn, end, fail };
}

describe('gathered calls', () => {
  it('what comes in one turn goes together, and each gets its own answer', async () => {
    const { calls, batches, turns, turn, end } = stand();
    const answers = [calls.add(1), calls.add(2), calls.add(3)];
    expect(turns).toHaveLength(1);
    turn();
    end();
    expect(batches).toEqual([[1, 2, 3]]);
    expect(await Promise.all(answers)).toEqual(['1', '2', '3']);
  });

  it('what comes during a call waits for it, goes together after it, and in a turn of its own', async () => {
    const { calls, batches, turns, turn, end } = stand();
    const first = calls.add(1);
    turn();
    const others = [calls.add(2), calls.add(3)];
    expect(turns).toEqual([]);
    end();
    await first;
    await Promise.resolve();
    expect(batches).toEqual([[1]]);
    turn();
    end();
    expect(await Promise.all(others)).toEqual(['2', '3']);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('[P7] no call is longer than its bound', async () => {
    const { calls, batches, turn, end } = stand({ itemsMax: 2 });
    const answers = [1, 2, 3, 4, 5].map((item) => calls.add(item));
    for (const last of [1, 3, 4]) {
      turn();
      end();
      await answers[last];
      await Promise.resolve();
    }
    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('with room for more calls a turn does not wait for the one before, and answers go to their own', async () => {
    const { calls, batches, turn, gates } = stand({ callsMax: 2 });
    const answers = [calls.add(1)];
    turn();
    answers.push(calls.add(2));
    turn();
    answers.push(calls.add(3));
    turn();
    expect(batches).toEqual([[1], [2]]);
    gates[1]?.resolve(['two']);
    expect(await answers[1]).toBe('two');
    await Promise.resolve();
    turn();
    expect(batches).toEqual([[1], [2], [3]]);
    gates[0]?.resolve(['one']);
    gates[2]?.resolve(['three']);
    expect(await Promise.all(answers)).toEqual(['one', 'two', 'three']);
  });

  it('flushed: what waits goes at once, what comes after it waits for the turn, and nothing goes twice', async () => {
    const { calls, batches, turns, turn, gates } = stand({ callsMax: Infinity });
    const answers = [calls.add(1), calls.add(2)];
    calls.flush();
    calls.flush();
    expect(batches).toEqual([[1, 2]]);
    answers.push(calls.add(3));
    expect(turns).toHaveLength(1);
    turn();
    expect(batches).toEqual([[1, 2], [3]]);
    gates[0]?.resolve(['one', 'two']);
    gates[1]?.resolve(['three']);
    expect(await Promise.all(answers)).toEqual(['one', 'two', 'three']);
  });

  it('[P7] flushed: no call goes while there are as many as may be', async () => {
    const { calls, batches, turn, end } = stand();
    const first = calls.add(1);
    turn();
    const second = calls.add(2);
    calls.flush();
    expect(batches).toEqual([[1]]);
    end();
    await first;
    await Promise.resolve();
    turn();
    end();
    expect(await second).toBe('2');
  });

  it('a call that answers for fewer than it was asked for fails them all', async () => {
    const { calls, turn, gates } = stand();
    const answers = [calls.add(1), calls.add(2)];
    turn();
    gates[0]?.resolve(['one']);
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('a call that fails fails what it gathered, and the next one is tried', async () => {
    const { calls, turn, end, fail } = stand();
    const first = calls.add(1);
    turn();
    const second = calls.add(2);
    fail(new Error('disk full'));
    await expect(first).rejects.toThrow('disk full');
    turn();
    end();
    expect(await second).toBe('2');
  });
});

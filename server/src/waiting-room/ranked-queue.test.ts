import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionId } from '../platform/ids.ts';
import { type Ranked, RankedQueue } from './ranked-queue.ts';

const item = (score: number, name: string): Ranked => ({ score, session: sessionId(name) });

describe('ranked queue', () => {
  test('equal scores stand in the order of their sessions', () => {
    const queue = new RankedQueue<Ranked>();
    for (const name of ['b', 'c', 'a']) queue.insert(item(1, name));
    expect(queue.toArray().map(({ session }) => session)).toEqual(['a', 'b', 'c']);
  });

  test('a long line keeps everybody in order through many blocks, and empties from the head', () => {
    const queue = new RankedQueue<Ranked>();
    const items = Array.from({ length: 5_000 }, (_, score) => item(score, `s${String(score)}`));
    // 7 and 5,000 have no common factor: every score once, all over the line.
    for (let step = 0; step < 5_000; step++) queue.insert(items[(step * 7) % 5_000]!);
    expect(queue.toArray()).toEqual(items);
    for (let score = 0; score < 2_000; score++) expect(queue.remove(queue.first()!)).toBe(true);
    expect(queue.rankOf(item(4_500, 's4500'))).toBe(2_500);
    for (const one of items.slice(2_500, 4_000)) queue.remove(one);
    expect(queue.size).toBe(1_500);
    expect(queue.rankOf(item(4_500, 's4500'))).toBe(1_000);
    expect(queue.countUpTo(2_499)).toBe(500);
    for (const one of items) queue.remove(one);
    expect(queue.first()).toBeUndefined();
    expect(queue.size).toBe(0);
  });

  test('does what sorting a list every time does', () => {
    const operation = fc.record({
      kind: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'shift'),
      score: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const queue = new RankedQueue<Ranked>();
        let list: Ranked[] = [];
        for (const [index, { kind, score }] of operations.entries()) {
          if (kind === 'insert') {
            const one = item(score, `s${String(index)}`);
            queue.insert(one);
            list.push(one);
            list.sort((a, b) => a.score - b.score || (a.session < b.session ? -1 : 1));
          } else if (kind === 'shift') {
            const head = list.shift();
            expect(queue.first()).toBe(head);
            if (head) queue.remove(head);
          } else {
            const one = list[score] ?? item(score, 'nobody');
            expect(queue.remove(one)).toBe(list.includes(one));
            list = list.filter((other) => other !== one);
          }
          expect(queue.toArray()).toEqual(list);
          expect(queue.size).toBe(list.length);
          expect(list.map((one) => queue.rankOf(one))).toEqual(list.map((_, at) => at));
          expect(queue.countUpTo(score)).toBe(list.filter((one) => one.score <= score).length);
        }
      }),
    );
  });
});

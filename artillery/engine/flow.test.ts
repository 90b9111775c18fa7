import { describe, expect, it } from 'vitest';
import { parseFlow } from './flow.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

const messageOf = (flow: unknown): string => {
  try {
    parseFlow(flow, 'onsale');
  } catch (error) {
    if (error instanceof TaskError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('a flow', () => {
  it('takes a step by its name alone and fills in what is left open', () => {
    expect(parseFlow(['join', { hold: { seats: 2 } }, { checkout: null }], 'x')).toMatchObject([
      { name: 'join', options: { expect: ['ok'] } },
      { name: 'hold', options: { seats: [2, 2], attempts: 10, expect: ['ok'] } },
      { name: 'checkout', options: { attempts: 1, expect: ['ok', 'declined'] } },
    ]);
  });

  it('takes one number for a span that has one length', () => {
    expect(parseFlow([{ think: 2 }, { think: [1, 3] }], 'x')).toEqual([
      { name: 'think', options: [2, 2] },
      { name: 'think', options: [1, 3] },
    ]);
  });

  it('holds loops in loops', () => {
    const inner = { loop: ['orders'], count: 2 };
    expect(parseFlow([{ loop: [inner], count: 3 }], 'x')).toMatchObject([
      { name: 'loop', count: 3, steps: [{ name: 'loop', count: 2, steps: [{ name: 'orders' }] }] },
    ]);
  });

  it('names the step that does not exist, where it stands, and those that do', () => {
    expect(messageOf(['join', { buy: {} }])).toMatch(
      /^onsale, step 2: "buy" is no step; steps are connect, join,/,
    );
    expect(messageOf([{ loop: [{ wach: {} }], count: 1 }])).toContain(
      'onsale, step 1 (loop), step 1: "wach"',
    );
  });

  it('refuses two steps in one, a flow without steps, and a loop without an end', () => {
    expect(messageOf([{ join: null, leave: null }])).toContain('"join, leave" is no step');
    expect(messageOf([])).toBe('onsale: the flow must be a list of steps.');
    expect(messageOf([{ loop: ['join'] }])).toContain('step 1 (loop): count');
  });

  it('refuses an option or an outcome that does not exist, and spans that run backwards', () => {
    expect(messageOf([{ hold: { seat: 1 } }])).toContain('step 1 (hold)');
    expect(messageOf([{ hold: { expect: ['seat-tkaen'] } }])).toContain('step 1 (hold): expect.0');
    expect(messageOf([{ think: [3, 1] }])).toContain('must not be smaller');
    expect(messageOf([{ hold: { seats: 33 } }])).toContain('step 1 (hold): seats');
  });
});

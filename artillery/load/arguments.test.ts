import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments.ts';

const NAMES = ['soak', 'spike'];
const read = (...args: string[]): ReturnType<typeof readArguments> =>
  readArguments(args, { environment: {}, stackDatabase: null }, NAMES);

describe('the command line of load', () => {
  it('needs nothing but a scenario', () => {
    expect(read('soak')).toEqual({
      scenario: 'soak',
      servers: [new URL('http://127.0.0.1:8083')],
      ledgers: [{ kind: 'sqlite', dataDir: '.data' }],
      json: false,
      show: null,
      buyers: null,
      durationSeconds: null,
    });
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['10m', 600],
    ['2h', 7_200],
  ])('--duration %s is %i seconds', (text, seconds) => {
    expect(read('soak', '--duration', text)?.durationSeconds).toBe(seconds);
  });

  it('reads places as the crowd does', () => {
    const args = ['--url', 'http://127.0.0.1:1', '--url', 'http://127.0.0.1:2', '--data', '/x'];
    expect(read('soak', ...args)).toMatchObject({
      servers: [new URL('http://127.0.0.1:1'), new URL('http://127.0.0.1:2')],
      ledgers: [{ kind: 'sqlite', dataDir: '/x' }],
    });
  });

  it.each([
    [[], 'Which scenario? Scenarios: soak, spike.'],
    [['sok'], 'There is no scenario "sok". Scenarios: soak, spike.'],
    [['soak', 'spike'], 'One scenario at a time; "spike" is too much.'],
    [
      ['soak', '--duration', '1y'],
      '--duration: "1y" can\'t be used; allowed: 90s, 10m, 2h, up to seven days.',
    ],
    [['soak', '--duration', '0'], '--duration: "0" can\'t be used'],
    [['soak', '--buyers', '0'], '--buyers: "0" can\'t be used; allowed: a whole number, 1 to 20000.'],
    [['soak', '--url', 'nowhere'], '--url: "nowhere" can\'t be used'],
    [['soak', '--url', 'http://192.0.2.1'], '--url: 192.0.2.1 is another machine.'],
    [['soak', '--bogus'], "Unknown option '--bogus'. See --help."],
  ])('%j is refused: %s', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});

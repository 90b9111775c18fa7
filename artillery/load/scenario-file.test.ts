import { describe, expect, it } from 'vitest';
import { parseScenario, peakOf, readScenario, type ScenarioOptions, scenarioNames } from './scenario-file.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

const AS_IT_IS: ScenarioOptions = { durationSeconds: null, buyers: null, show: null };

const TEXT = `# Some come,
# some go.
config:
  target: http://127.0.0.1:8083
  engines: { stampede: { show: pillow, freeSeats: 20 } }
  phases: [{ name: all, duration: 3, arrivalCount: 40 }]
  plugins:
    ensure:
      thresholds: [{ stampede.response_ms.p95: 300 }]
      conditions: [{ expression: stampede.errors == 0, strict: false }]
scenarios:
  - { name: a buyer, engine: stampede, flow: [connect, join] }
`;
const STEADY = TEXT.replace('arrivalCount: 40', 'arrivalRate: 2, maxVusers: 50');
const SIZES = TEXT.replace(
  / {2}phases: .*/,
  '  environments: { few: { phases: [{ name: a, duration: 1, arrivalCount: 5 }] },' +
    ' many: { phases: [{ name: a, duration: 1, arrivalCount: 50 }] } }',
);

const messageOf = (text: string, options: Partial<ScenarioOptions> = {}): string => {
  try {
    parseScenario(text, 'x.yml', { ...AS_IT_IS, ...options });
  } catch (error) {
    if (error instanceof TaskError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('the scenarios of this project', () => {
  it.each(scenarioNames())('%s can be read, says what it is for, and has thresholds', (name) => {
    const { description, thresholds, levels } = readScenario(name, AS_IT_IS);
    expect(description.length).toBeGreaterThan(40);
    expect(thresholds.length).toBeGreaterThan(2);
    expect(levels.length).toBeGreaterThan(0);
  });

  it('browse-and-buy has four sizes', () => {
    const { levels } = readScenario('browse-and-buy', AS_IT_IS);
    expect(levels.map(peakOf)).toEqual([50, 200, 500, 1_000]);
  });

  it('names the scenarios there are where another one was asked for', () => {
    expect(() => readScenario('sell-out', AS_IT_IS)).toThrow(
      'There is no scenario "sell-out". Scenarios: browse-and-buy, onsale-spike, reconnect-storm, seat-fight, soak.',
    );
  });
});

describe('a scenario file', () => {
  it('is read with its thresholds and its first comment', () => {
    expect(parseScenario(TEXT, 'x.yml', AS_IT_IS)).toMatchObject({
      description: 'Some come, some go.',
      show: 'pillow',
      freeSeats: 20,
      levels: [{ label: '', phases: [{ duration: 3, arrivalCount: 40 }] }],
      thresholds: [
        { text: 'stampede.response_ms.p95 < 300', isStrict: true },
        { text: 'stampede.errors == 0', isStrict: false },
      ],
    });
  });

  it('may be tried with fewer buyers, at one size, and with another show', () => {
    const smaller = { ...AS_IT_IS, buyers: 7, show: '3' };
    expect(parseScenario(TEXT, 'x.yml', smaller)).toMatchObject({
      show: '3',
      levels: [{ label: '', phases: [{ arrivalCount: 7 }] }],
    });
    expect(parseScenario(SIZES, 'x.yml', smaller).levels).toMatchObject([
      { label: '7 users', phases: [{ arrivalCount: 7 }] },
    ]);
  });

  it('has a length only if it is steady', () => {
    const { levels } = parseScenario(STEADY, 'x.yml', { ...AS_IT_IS, durationSeconds: 90 });
    expect(levels).toMatchObject([{ phases: [{ duration: 90, arrivalRate: 2 }] }]);
    expect(messageOf(TEXT, { durationSeconds: 90 })).toMatch(/^--duration: /);
    expect(messageOf(STEADY, { buyers: 7 })).toMatch(/^--buyers: /);
  });

  it('is refused in one line that says what is wrong where', () => {
    expect(messageOf('config: [')).toMatch(/^x\.yml: .*line 1/);
    expect(messageOf('config: 1')).toMatch(/^x\.yml: config: /);
    expect(messageOf(TEXT.replace('join', 'jion'))).toMatch(/^x\.yml: a buyer, step 2: "jion" is no step/);
    expect(messageOf(TEXT.replace('errors == 0', 'errors =! 0'))).toMatch(
      /^x\.yml: threshold "stampede.errors =! 0"/,
    );
    expect(messageOf(TEXT.replace('p95: 300', 'p95: fast'))).toMatch(
      /^x\.yml: config\.plugins\.ensure\.thresholds/,
    );
    expect(messageOf(STEADY.replace(', maxVusers: 50', ''))).toContain('an arrivalRate needs maxVusers');
    expect(messageOf(TEXT.replace(/ {2}phases: .*\n/, ''))).toContain('either phases or environments');
    for (const text of ['config: [', TEXT.replace('join', 'jion')])
      expect(messageOf(text)).not.toContain('\n');
  });
});

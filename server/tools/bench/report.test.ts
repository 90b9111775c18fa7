import { describe, expect, test } from 'vitest';
import type { Benchmark, Findings } from './benchmark.ts';
import { documentText, reportLines, summarise } from './report.ts';

const benchmark: Benchmark = {
  name: 'hold',
  what: 'holds a second',
  against: 'an echo',
  target: '≥ 0.7',
  measure: () => Promise.reject(new Error('not here')),
};
const findings: Findings = {
  unit: 'holds/s',
  runs: [
    { value: 50, yardstick: 100 },
    { value: 80, yardstick: 100 },
    { value: 60, yardstick: 50 },
  ],
  reached: false,
  remarks: ['Redis bounds it.'],
  tables: [{ title: 'Ways', columns: ['way', 'rate'], rows: [['a|b', 1_234]] }],
  versions: ['Redis 7'],
};

describe('reports', () => {
  test('the last line has medians, and every run with its ratio', () => {
    expect(summarise({ benchmark, findings })).toEqual({
      name: 'hold',
      value: 60,
      unit: 'holds/s',
      yardstick: 100,
      ratio: 0.8,
      target: '≥ 0.7',
      runs: [
        { value: 50, yardstick: 100, ratio: 0.5 },
        { value: 80, yardstick: 100, ratio: 0.8 },
        { value: 60, yardstick: 50, ratio: 1.2 },
      ],
    });
  });

  test('without a yardstick there is no ratio', () => {
    const runs = [{ value: 1, yardstick: null }];
    expect(summarise({ benchmark, findings: { ...findings, runs } })).toMatchObject({
      yardstick: null,
      ratio: null,
    });
  });

  test('people read the spread, the target and whether it was reached', () => {
    const text = reportLines({ benchmark, findings }).join('\n');
    expect(text).toContain('60 (50 … 80) holds/s');
    expect(text).toContain('≥ 0.7; **not reached**');
  });

  test('the document says of each line whether it was reached, and shows its tables', () => {
    const text = documentText([{ benchmark, findings }], ['2 cores']);
    expect(text).toContain('- 2 cores');
    expect(text).toMatch(
      /\| \[`hold`\]\(#hold\) \| holds a second \| 60 \(50 … 80\) holds\/s \| 100 \(50 … 100\) \|/,
    );
    expect(text).toContain('| **no**  |');
    expect(text).toContain('| a\\|b | 1,234 |');
    expect(text).toContain('  x-axis ["Stampede", "yardstick"]');
    expect(text).toContain('  bar [60, 100]');
  });
});

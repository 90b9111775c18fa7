import { describe, expect, test } from 'vitest';
import { drawBars } from './bar-chart.ts';

const spread = (median: number, min = median, max = median) => ({ median, min, max });
const chart = (bars: readonly { label: string; spread: ReturnType<typeof spread>; isOurs: boolean }[]) =>
  drawBars({ name: 'x', title: 'Holds & "more" <fast>', unit: 'holds/s', bars });

const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));

describe('bar charts', () => {
  test('lengths compare as the figures do, from zero', () => {
    const svg = chart([
      { label: 'ours', spread: spread(200), isOurs: true },
      { label: 'theirs', spread: spread(50), isOurs: false },
      { label: 'none', spread: spread(0), isOurs: false },
    ]);
    const [ours, theirs, none] = widths(svg);
    expect(ours! / theirs!).toBeCloseTo(4);
    expect(none).toBe(0);
  });

  test('the longest run fits the picture, and is drawn with its extremes', () => {
    const svg = chart([{ label: 'ours', spread: spread(100, 80, 400), isOurs: true }]);
    expect(widths(svg)[0]).toBeCloseTo(100);
    expect(svg).toContain('<path class="run"');
    expect(svg).toContain('>100</text>');
  });

  test('texts can say anything', () => {
    const svg = chart([{ label: 'a<b', spread: spread(1), isOurs: true }]);
    expect(svg).toContain('a&lt;b');
    expect(svg).toContain('Holds &amp; &quot;more&quot; &lt;fast&gt;');
    expect(svg).not.toContain('a<b');
  });

  test('nothing but zeros is no division by zero', () => {
    expect(chart([{ label: 'none', spread: spread(0), isOurs: true }])).not.toContain('NaN');
  });
});

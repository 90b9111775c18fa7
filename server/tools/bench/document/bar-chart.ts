import { readable, type Spread } from '../statistics.ts';

/** One bar: the median, with a line from the smallest to the largest run. */
export interface Bar {
  readonly label: string;
  readonly spread: Spread;
  /** Ours stand out. */
  readonly isOurs: boolean;
}

export interface BarChart {
  /** Names its file too. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 720;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 110;
const BAR_HEIGHT = 22;
const BAR_STEP = 34;
const HEAD_HEIGHT = 44;
const FOOT_HEIGHT = 10;
const WHISKER = 4;

/** Readable on white and on black alike, because nobody knows where a picture in a repository is looked at. */
const STYLE =
  'text{font:14px system-ui,sans-serif;fill:#1b1f24}.title{font-weight:600}.ours{fill:#0b7285}.theirs{fill:#868e96}' +
  '.run{stroke:#1b1f24;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.run{stroke:#e6edf3}' +
  '.ours{fill:#3bc9db}.theirs{fill:#6c757d}}';

/** Draws horizontal bars from zero, so that their lengths compare as the figures do. */
export function drawBars({ title, unit, bars }: BarChart): string {
  const height = HEAD_HEIGHT + bars.length * BAR_STEP + FOOT_HEIGHT;
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const most = Math.max(...bars.map(({ spread }) => spread.max), Number.MIN_VALUE);
  const x = (value: number): string => (LABEL_WIDTH + (value / most) * room).toFixed(1);
  const rows = bars.flatMap(({ label, spread: { median, min, max }, isOurs }, index) => {
    const top = HEAD_HEIGHT + index * BAR_STEP;
    const middle = top + BAR_HEIGHT / 2;
    const baseline = middle + 5;
    const run = `M${x(min)} ${middle}H${x(max)}M${x(min)} ${middle - WHISKER}v${2 * WHISKER}M${x(max)} ${middle - WHISKER}v${2 * WHISKER}`;
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${baseline}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'theirs'}" x="${LABEL_WIDTH}" y="${top}" width="${((median / most) * room).toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>`,
      min === max ? '' : `<path class="run" fill="none" d="${run}"/>`,
      `<text x="${(LABEL_WIDTH + (max / most) * room + 8).toFixed(1)}" y="${baseline}">${readable(median)}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="10" y="22">${escaped(title)}</text>`,
    `<text x="${WIDTH - 10}" y="22" text-anchor="end">${escaped(unit)}</text>`,
    ...rows.filter((row) => row !== ''),
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

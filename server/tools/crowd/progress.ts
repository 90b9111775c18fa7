import type { CrowdState } from './crowd-run.ts';
import { percentile, type Tally } from './report.ts';

/** The latest holds, for a figure that shows what is going on now. */
const RECENT_HOLDS = 1_000;

/** One line that says where everybody is. */
export function progressLine(seconds: number, { at, seatsHeld }: CrowdState, tally: Tally): string {
  const { owner, declined, refused } = tally.fates;
  const recent = tally.holdLatenciesMs.slice(-RECENT_HOLDS).sort((a, b) => a - b);
  const p95 = percentile(recent, 95);
  const parts: readonly (readonly [number, string])[] = [
    [at.away, 'connecting'],
    [at.outside + at.early, 'outside'],
    [at.queued, 'waiting'],
    [at.shopping, 'choosing'],
    [at.holding, 'holding'],
    [at.paying + at['turned-down'], 'paying'],
    [owner, `own ${tally.seatsTold} seats`],
    [declined, 'declined'],
    [refused, 'refused'],
  ];
  const shown = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  if (seatsHeld > 0) shown.push(`${seatsHeld} seats in hands`);
  if (p95 !== null) shown.push(`hold p95 ${Math.round(p95)} ms`);
  if (tally.errorCount > 0) shown.push(`${tally.errorCount} UNEXPECTED`);
  return `${String(Math.round(seconds)).padStart(3)} s  ${shown.join(' · ')}`;
}

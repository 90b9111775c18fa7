import { type Progress, STAGES } from '../engine/journal.ts';

/** One line that says where everybody is. */
export function progressLine({ stages, requests, errors, ticketsTold }: Progress, seconds: number): string {
  const standing = STAGES.filter((stage) => stages[stage] > 0).map((stage) => `${stages[stage]} ${stage}`);
  const shown = standing.length === 0 ? ['Artillery is starting'] : [...standing, `${requests} requests`];
  if (ticketsTold > 0) shown.push(`${ticketsTold} tickets`);
  if (errors > 0) shown.push(`${errors} UNEXPECTED`);
  return `${String(Math.round(seconds)).padStart(4)} s  ${shown.join(' · ')}`;
}

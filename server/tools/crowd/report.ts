import type { Situation } from '../shopper/situation.ts';

/** How a buyer's evening ended; `unanswered` when the crowd had to go home first. */
export type Fate = 'owner' | 'declined' | 'refused' | 'unanswered';

/** The last line on standard output. Latencies in milliseconds, from sending a hold to its answer. */
export interface Summary {
  readonly buyers: number;
  /** Buyers who own tickets, or were turned away for good. */
  readonly answered: number;
  /** Seats this crowd bought, by the database; by the buyers' word where that can't be read. */
  readonly sold: number;
  /** Buyers whose payment was declined and who gave up. */
  readonly declined: number;
  /** Buyers who left without a seat because none was to be had. */
  readonly refused: number;
  /** Seats with more than one owner; null if the database could not be read. */
  readonly oversold: number | null;
  /** Buyers to whom something unexpected happened, and findings in the database that concern none of them. */
  readonly errors: number;
  /** Null if no hold was answered. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** What the whole crowd went through. */
export class Tally {
  /** Milliseconds of each answered hold. */
  readonly holdLatenciesMs: number[] = [];
  readonly fates: Record<Fate, number> = { owner: 0, declined: 0, refused: 0, unanswered: 0 };
  seatsTold = 0;
  /** Things that belong to a sale and need no attention, by kind. */
  readonly notes = new Map<string, number>();
  /** Things that should not have happened, by kind. */
  readonly errors = new Map<string, number>();
  readonly #buyersWithErrors = new Set<number>();
  #errorsOfNobody = 0;

  get errorCount(): number {
    return this.#buyersWithErrors.size + this.#errorsOfNobody;
  }

  get answered(): number {
    return this.fates.owner + this.fates.declined + this.fates.refused;
  }

  note(kind: string): void {
    this.notes.set(kind, (this.notes.get(kind) ?? 0) + 1);
  }

  /** `buyer` null: it happened to none of ours. */
  error(kind: string, buyer: number | null): void {
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
    if (buyer === null) this.#errorsOfNobody++;
    else this.#buyersWithErrors.add(buyer);
  }
}

/** The value that `percent` of the sorted values don't exceed (nearest rank); null if there are none. */
export function percentile(sorted: readonly number[], percent: number): number | null {
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? null;
}

/** What the database had to say. */
export type LedgerWord =
  | {
      readonly read: true;
      readonly soldSeats: number;
      readonly oversold: number;
      readonly soldToOthers: number;
    }
  | { readonly read: false; readonly reason: string };

export function summarise(buyers: number, tally: Tally, ledger: LedgerWord): Summary {
  const sorted = tally.holdLatenciesMs.toSorted((a, b) => a - b);
  const at = (percent: number): number | null => {
    const value = percentile(sorted, percent);
    return value === null ? null : Math.round(value * 10) / 10;
  };
  return {
    buyers,
    answered: tally.answered,
    sold: ledger.read ? ledger.soldSeats : tally.seatsTold,
    declined: tally.fates.declined,
    refused: tally.fates.refused,
    oversold: ledger.read ? ledger.oversold : null,
    errors: tally.errorCount,
    p50Ms: at(50),
    p95Ms: at(95),
    p99Ms: at(99),
  };
}

/** Whether the sale went as it must: everybody answered, nothing oversold, nothing unexpected. */
export function isClean({ buyers, answered, oversold, errors }: Summary): boolean {
  return answered === buyers && oversold === 0 && errors === 0;
}

export interface Circumstances {
  readonly show: string;
  readonly seed: number;
  readonly seconds: number;
  /** How late this process itself was with its work, 99 % of the time; the latencies contain it. */
  readonly ownDelayMs: number;
}

/** The summary for people, as lines. */
export function describe(
  summary: Summary,
  tally: Tally,
  ledger: LedgerWord,
  { show, seed, seconds, ownDelayMs }: Circumstances,
): string[] {
  const { buyers, answered } = summary;
  const { owner, declined, refused, unanswered } = tally.fates;
  const ms = (value: number | null): string => (value === null ? '–' : `${value} ms`);
  return [
    '',
    `${show}: ${count(buyers, 'buyer')}, ${seconds.toFixed(1)} s, seed ${seed}`,
    `  answered   ${answered} of ${buyers}`,
    `  own seats  ${count(owner, 'buyer')}, who were told of ${count(tally.seatsTold, 'seat')}`,
    `  declined   ${count(declined, 'buyer')} gave up after the bank said no`,
    `  refused    ${count(refused, 'buyer')} found nothing left`,
    ...(unanswered > 0 ? [`  unanswered ${count(unanswered, 'buyer')} went home without an answer`] : []),
    ...ledgerLines(ledger),
    `  hold       ${count(tally.holdLatenciesMs.length, 'answer')}: half within ${ms(summary.p50Ms)}, ` +
      `95 % ${ms(summary.p95Ms)}, 99 % ${ms(summary.p99Ms)} (this crowd's own delay: ${ownDelayMs.toFixed(1)} ms)`,
    ...kindLines('  along the way:', tally.notes),
    ...(tally.errors.size > 0
      ? kindLines(`  UNEXPECTED (${summary.errors} in all):`, tally.errors)
      : ['  unexpected nothing']),
    '',
  ];
}

function ledgerLines(ledger: LedgerWord): string[] {
  if (!ledger.read) return [`  database   NOT READ, so nobody knows what was oversold: ${ledger.reason}`];
  const { soldSeats, oversold, soldToOthers } = ledger;
  return [
    `  database   ${count(soldSeats, 'seat')} sold to this crowd, ${oversold} with more than one owner` +
      (soldToOthers > 0 ? `; ${count(soldToOthers, 'seat')} sold to others meanwhile` : ''),
  ];
}

function kindLines(title: string, kinds: ReadonlyMap<string, number>): string[] {
  if (kinds.size === 0) return [];
  const sorted = [...kinds].sort(([, a], [, b]) => b - a);
  return [title, ...sorted.map(([kind, times]) => `    ${String(times).padStart(6)} × ${kind}`)];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The latest holds, for a figure that shows what is going on now. */
const RECENT_HOLDS = 1_000;

/** Where those stand who have not gone yet. */
export interface CrowdState {
  readonly at: ReadonlyMap<Situation['at'], number>;
  readonly seatsHeld: number;
}

/** One line that says where everybody is. */
export function progressLine(seconds: number, { at, seatsHeld }: CrowdState, tally: Tally): string {
  const { owner, declined, refused } = tally.fates;
  const recent = tally.holdLatenciesMs.slice(-RECENT_HOLDS).sort((a, b) => a - b);
  const p95 = percentile(recent, 95);
  const standing = (...situations: readonly Situation['at'][]): number =>
    situations.reduce((sum, situation) => sum + (at.get(situation) ?? 0), 0);
  const parts: readonly (readonly [number, string])[] = [
    [standing('away'), 'connecting'],
    [standing('outside', 'early'), 'outside'],
    [standing('queued'), 'waiting'],
    [standing('shopping'), 'choosing'],
    [standing('holding'), 'holding'],
    [standing('paying', 'turned-down'), 'paying'],
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

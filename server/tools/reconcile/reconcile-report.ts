import { differencesOf, type Reconciliation } from '../../src/sale/reconcile-show.ts';

/** The last line on standard output. */
export interface ReconcileSummary {
  readonly shows: number;
  /** Rows of sold seats in the database. */
  readonly sold: number;
  /** Seats sold live and not in the database. */
  readonly onlyLive: number;
  /** Seats sold in the database and not live. */
  readonly onlyInDatabase: number;
  /** Buyers whose number of bought seats differs. */
  readonly miscounted: number;
  readonly differences: number;
}

/** Of more seats only the number is of any use to a reader. */
const SEATS_LISTED_MAX = 20;

export function summarise(results: readonly Reconciliation[]): ReconcileSummary {
  const sum = (count: (result: Reconciliation) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  return {
    shows: results.length,
    sold: sum(({ sold }) => sold),
    onlyLive: sum(({ onlyLive }) => onlyLive.length),
    onlyInDatabase: sum(({ onlyInDatabase }) => onlyInDatabase.length),
    miscounted: sum(({ miscounted }) => miscounted.length),
    differences: sum(differencesOf),
  };
}

/** A show's result as lines. Sessions are secrets of their buyers: only their counts are shown. */
export function describeShow(title: string, result: Reconciliation): string[] {
  const { show, isOpen, sold, onlyLive, onlyInDatabase, miscounted } = result;
  const verdict = differencesOf(result) === 0 ? 'no difference' : `${differencesOf(result)} DIFFERENCES`;
  const lines = [
    `show ${show} "${title}": ${sold} seats sold, ${verdict}${isOpen ? '' : ' (not open live)'}`,
  ];
  if (onlyLive.length > 0) lines.push(`  sold live, not in the database: ${list(onlyLive)}`);
  if (onlyInDatabase.length > 0) lines.push(`  sold in the database, not live: ${list(onlyInDatabase)}`);
  for (const { live, inDatabase } of miscounted.slice(0, SEATS_LISTED_MAX)) {
    lines.push(`  a buyer with ${live} seats by the live store has ${inDatabase} in the database`);
  }
  if (miscounted.length > SEATS_LISTED_MAX) lines.push(`  and ${miscounted.length - SEATS_LISTED_MAX} more`);
  return lines;
}

function list(seats: readonly number[]): string {
  const more = seats.length - SEATS_LISTED_MAX;
  return `seat ${seats.slice(0, SEATS_LISTED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

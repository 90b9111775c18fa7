import type { JournalEntry } from '../engine/journal.ts';
import { audit, type LedgerPage, RunKeys } from '../../server/tools/crowd/ledger.ts';
import { type LedgerPlace, readLedger } from '../../server/tools/crowd/ledger-reading.ts';
import type { CrowdShow } from '../../server/tools/shopper/ticket-office.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

/** What the database says of a run, compared with what its buyers were told. */
export interface Reconciliation {
  /** Seats the buyers of this run bought, by the database. */
  readonly soldSeats: number;
  /** Seats that buyers were told to own. */
  readonly toldSeats: number;
  readonly soldToOthers: number;
  readonly oversold: number;
  /** Buyers who left before they heard what became of a payment. */
  readonly undecided: number;
  /** What must not be, by kind. */
  readonly findings: ReadonlyMap<string, number>;
  /** Nothing is oversold, and all three witnesses agree. */
  readonly isClean: boolean;
}

/** @throws TaskError if the server's database can't be read: then nobody could say what was oversold */
export async function readPage(places: readonly LedgerPlace[], show: CrowdShow): Promise<LedgerPage> {
  try {
    return await readLedger(places, show.id, show.drawCommitment);
  } catch (cause) {
    if (!(cause instanceof TaskError)) throw cause;
    throw new TaskError(`The server's database can't be compared: ${cause.message}.`, { cause });
  }
}

/** @param run the name that begins every idempotency key of the run */
export function reconcile(
  run: string,
  show: CrowdShow,
  before: LedgerPage,
  after: LedgerPage,
  entries: readonly JournalEntry[],
): Reconciliation {
  const told = entries.flatMap((entry) => (entry.type === 'told' ? entry.seats : []));
  const undecided = new Set(entries.flatMap((entry) => (entry.type === 'undecided' ? [entry.buyer] : [])));
  const keys = new RunKeys(run);
  const result = audit({ before, after, told, keys, undecided, seatCount: show.map.seatCount });
  const findings = new Map<string, number>();
  for (const { kind } of result.findings) findings.set(kind, (findings.get(kind) ?? 0) + 1);
  const { soldSeats, soldToOthers, oversold } = result;
  const isClean = oversold === 0 && findings.size === 0;
  return {
    soldSeats,
    toldSeats: told.length,
    soldToOthers,
    oversold,
    undecided: undecided.size,
    findings,
    isClean,
  };
}

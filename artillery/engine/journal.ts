import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Where buyers stand, in the order in which they get there. */
export const STAGES = [
  'connecting',
  'outside',
  'waiting',
  'shopping',
  'holding',
  'paying',
  'away',
  'gone',
] as const;
export type Stage = (typeof STAGES)[number];

const count = z.int().min(0);
const toldSeat = z.object({ buyer: count, orderId: z.string(), seat: count, ticketCode: z.string() });

/** What a worker of Artillery leaves behind for the reconciliation, one line each. */
const journalEntry = z.discriminatedUnion('type', [
  /** Seats that a buyer was told to own. */
  z.object({ type: z.literal('told'), seats: z.array(toldSeat) }),
  /** A buyer who left before hearing what became of a payment. */
  z.object({ type: z.literal('undecided'), buyer: count }),
  /** Something that must not happen, at most a few of each kind. */
  z.object({ type: z.literal('error'), kind: z.string(), buyer: count }),
  /** Where everybody of this worker stands now. */
  z.object({
    type: z.literal('progress'),
    stages: z.record(z.enum(STAGES), count),
    requests: count,
    errors: count,
    ticketsTold: count,
  }),
]);
export type JournalEntry = z.output<typeof journalEntry>;
export type Progress = Omit<Extract<JournalEntry, { type: 'progress' }>, 'type'>;

/** Folder that the workers of a run write into; without it they write nothing. */
export const JOURNAL_VARIABLE = 'STAMPEDE_LOAD_JOURNAL';
/** Short text that begins every idempotency key of a run, the same for all its workers. */
export const RUN_VARIABLE = 'STAMPEDE_LOAD_RUN';

/** Writes line by line, so that what was written stays whatever becomes of the worker. */
export class Journal {
  readonly #file: string | null;

  /** @param folder undefined: nothing is kept */
  constructor(folder: string | undefined, worker: string) {
    this.#file = folder === undefined ? null : join(folder, `worker-${worker}.ndjson`);
  }

  write(entry: JournalEntry): void {
    if (this.#file !== null) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

/** Reads what has been added to a folder's journals since the last time. */
export class JournalReader {
  readonly #folder: string;
  readonly #offsets = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** New entries by journal, in the order in which they were written. A line still being written waits. */
  readNew(): ReadonlyMap<string, readonly JournalEntry[]> {
    const news = new Map<string, readonly JournalEntry[]>();
    for (const name of readdirSync(this.#folder).filter((one) => one.endsWith('.ndjson'))) {
      const offset = this.#offsets.get(name) ?? 0;
      const added = readFileSync(join(this.#folder, name)).subarray(offset);
      const whole = added.subarray(0, added.lastIndexOf('\n') + 1);
      this.#offsets.set(name, offset + whole.length);
      const lines = whole.toString('utf8').split('\n').filter(Boolean);
      news.set(
        name,
        lines.map((line) => journalEntry.parse(JSON.parse(line))),
      );
    }
    return news;
  }
}

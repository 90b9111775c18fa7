import type { PaymentLog } from '../payment-log/payment-log.ts';
import type { ShowId } from '../platform/ids.ts';
import type { KeepLease } from '../platform/lease.ts';
import type { Outside } from '../platform/outside.ts';
import { repeat } from '../platform/repeat.ts';
import { compareShow, type Miscount, type ReconcileParts, type Reconciliation } from './reconcile-show.ts';
import type { SeatRepairs, SeatRules, SeatStore } from '../seating/seat-store.ts';

/** What was mended: seats sold by the database alone, seats sold live alone, buyers' counts. */
export type RepairKind = keyof SeatRepairs;

export interface ReconciliationJobParts extends Omit<ReconcileParts, 'clock'> {
  readonly seats: ReconcileParts['seats'] & Pick<SeatStore, 'mend'>;
  readonly paymentLog: Pick<PaymentLog, 'pending'>;
  readonly sales: () => readonly { readonly seatRules: SeatRules }[];
  readonly keepLease: KeepLease;
  readonly onMended: (kind: RepairKind, count: number) => void;
  readonly outside: Pick<Outside, 'clock' | 'report'>;
}

const TICK_MS = 2_000;
/** Between two looks at a show where nothing differs. */
const LOOK_EVERY_MS = 15_000;
const LEASE_MS = 5 * TICK_MS;
/** Looks in a row, over 10 s, after which a difference is none that is on its way: the relay repeats every 5 s. */
const LOOKS_TO_SELL = 6;
/** Nobody is harmed while a seat isn't sold, or a count is wrong, a minute longer; one freed wrongly would be. */
const LOOKS_TO_FREE = 30;

/**
 * Compares live seats and database all the time, on one of all nodes, and mends what differs for good: the database is
 * right [P1]. Shows whose live seats are lost are left to those who set them up anew.
 */
export class ReconciliationJob {
  readonly #parts: ReconciliationJobParts;
  /** By show: how many looks in a row have found each difference. */
  readonly #found = new Map<ShowId, ReadonlyMap<string, number>>();
  readonly #lookedAt = new Map<ShowId, number>();

  constructor(parts: ReconciliationJobParts) {
    this.#parts = parts;
  }

  /** Seats and buyers that differ, and not because an order is on its way. */
  get differences(): number {
    const looks = [...this.#found.values()].flatMap((found) => [...found.values()]);
    return looks.filter((count) => count >= LOOKS_TO_SELL).length;
  }

  /** The returned function ends it and resolves when a look under way is over. */
  start(): () => Promise<void> {
    const { clock, report } = this.#parts.outside;
    return repeat(
      clock,
      TICK_MS,
      () => this.tick(),
      (cause) => report('live seats and database could not be compared', cause),
    );
  }

  /** Looks at every show that is due. */
  async tick(): Promise<void> {
    const { keepLease, sales } = this.#parts;
    const { clock, report } = this.#parts.outside;
    if (!(await keepLease('reconciliation', LEASE_MS))) {
      this.#found.clear();
      return;
    }
    const open = sales();
    // A show that was let go meanwhile, a deleted one say, would be told of as different for good.
    const shows = new Set(open.map(({ seatRules: { show } }) => show));
    for (const show of this.#lookedAt.keys()) if (!shows.has(show)) this.#forget(show);
    for (const { seatRules } of open) {
      const { show } = seatRules;
      const isDue = clock.now() - (this.#lookedAt.get(show) ?? -Infinity) >= LOOK_EVERY_MS;
      if (!isDue && !this.#found.has(show)) continue;
      this.#lookedAt.set(show, clock.now());
      await this.#compare(seatRules).catch((cause: unknown) =>
        report(`live seats and database of show ${show} could not be compared`, cause),
      );
    }
  }

  #forget(show: ShowId): void {
    this.#found.delete(show);
    this.#lookedAt.delete(show);
  }

  async #compare(rules: SeatRules): Promise<void> {
    const { show } = rules;
    const look = await compareShow(this.#parts, show);
    const before = this.#found.get(show);
    const looksOf = new Map(namesOf(look).map((name) => [name, (before?.get(name) ?? 0) + 1]));
    if (looksOf.size > 0 && look.isOpen) this.#found.set(show, looksOf);
    else this.#found.delete(show);
    if (look.isOpen) await this.#mend(rules, await this.#repairs(look, looksOf));
  }

  async #repairs(
    { show, onlyInDatabase, onlyLive, miscounted }: Reconciliation,
    looksOf: ReadonlyMap<string, number>,
  ): Promise<SeatRepairs> {
    const lasts = (name: string, looks: number): boolean => (looksOf.get(name) ?? 0) >= looks;
    const missing = onlyInDatabase.filter((seat) => lasts(nameOf.sold(seat), LOOKS_TO_SELL));
    const left = onlyLive.filter((seat) => lasts(nameOf.unsold(seat), LOOKS_TO_FREE));
    const wrong = miscounted.filter((one) => lasts(nameOf.counts(one), LOOKS_TO_FREE));
    return {
      sold: await this.#ownersOf(show, missing),
      unsold: await this.#nobodys(show, left),
      counts: wrong.map(({ session, live, inDatabase }) => ({ session, here: live, right: inDatabase })),
    };
  }

  async #ownersOf(show: ShowId, seats: readonly number[]): Promise<SeatRepairs['sold']> {
    if (seats.length === 0) return [];
    const range = { from: Math.min(...seats), to: Math.max(...seats) + 1 };
    const wanted = new Set(seats);
    return (await this.#parts.orders.soldSeats(show, range)).filter(({ seat }) => wanted.has(seat));
  }

  /** A payment that is under way may be what a seat is sold for. */
  async #nobodys(show: ShowId, seats: readonly number[]): Promise<SeatRepairs['unsold']> {
    if (seats.length === 0) return [];
    const pending = await this.#parts.paymentLog.pending(show);
    const paidFor = new Set(pending.flatMap((request) => request.seats));
    return seats.filter((seat) => !paidFor.has(seat));
  }

  async #mend(rules: SeatRules, repairs: SeatRepairs): Promise<void> {
    const { seats, onMended } = this.#parts;
    const { sold, unsold, counts } = repairs;
    if (sold.length + unsold.length + counts.length === 0) return;
    await seats.mend(rules, repairs);
    onMended('sold', sold.length);
    onMended('unsold', unsold.length);
    onMended('counts', counts.length);
  }
}

/** One difference, as long as it is the same one. */
const nameOf = {
  sold: (seat: number): string => `sold ${seat}`,
  unsold: (seat: number): string => `unsold ${seat}`,
  counts: ({ session, live, inDatabase }: Miscount): string => `counts ${session} ${live} ${inDatabase}`,
} satisfies Record<RepairKind, unknown>;

function namesOf({ onlyInDatabase, onlyLive, miscounted }: Reconciliation): readonly string[] {
  return [
    ...onlyInDatabase.map(nameOf.sold),
    ...onlyLive.map(nameOf.unsold),
    ...miscounted.map(nameOf.counts),
  ];
}

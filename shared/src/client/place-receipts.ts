import type { Clock } from '../platform/clock.ts';
import type { OutsideReason } from '../protocol/messages.ts';
import type { Answer, Standing } from './client-view.ts';
import { isPassing } from './pending-requests.ts';

/** Where receipts of places are kept: beyond the page's life where it can be. */
export interface ReceiptShelf {
  read(show: number): string | null;
  /** Null: there is no place any more. */
  keep(show: number, receipt: string | null): void;
}

/** Keeps receipts as long as the client lives. */
export function passingShelf(): ReceiptShelf {
  const receipts = new Map<number, string>();
  return {
    read: (show) => receipts.get(show) ?? null,
    keep(show, receipt) {
      if (receipt === null) receipts.delete(show);
      else receipts.set(show, receipt);
    },
  };
}

export interface PlaceReceiptParts {
  readonly shelf: ReceiptShelf;
  readonly clock: Clock;
  readonly visit: { readonly show: number | null };
  readonly state: { readonly standing: Standing };
  readonly join: () => Promise<Answer>;
}

const REJOIN_MS_MIN = 500;

/** The receipts of a buyer's places, and the way back to a place that the server lost (rule 4.6). */
export class PlaceReceipts {
  readonly #parts: PlaceReceiptParts;

  constructor(parts: PlaceReceiptParts) {
    this.#parts = parts;
  }

  /** For `join` in the show that is visited. */
  get own(): string | null {
    const { shelf, visit } = this.#parts;
    return visit.show === null ? null : shelf.read(visit.show);
  }

  keep(receipt: string | null): void {
    const { shelf, visit } = this.#parts;
    if (visit.show !== null) shelf.keep(visit.show, receipt);
  }

  /** Hears that there is no place: one that ended for a reason is forgotten, one that is not known is asked for. */
  hearOutside(reason: OutsideReason): void {
    if (reason !== 'not-joined' && reason !== 'lost') this.keep(null);
    else if (this.own !== null) void this.#rejoin();
  }

  async #rejoin(): Promise<void> {
    const { clock, visit, state, join } = this.#parts;
    const { show } = visit;
    const answer = await join();
    if (answer.ok || !isPassing(answer.code)) return;
    clock.after(Math.max(answer.retryAfterMs, REJOIN_MS_MIN), () => {
      if (visit.show === show && state.standing.state === 'outside') void this.#rejoin();
    });
  }
}

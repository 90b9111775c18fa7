import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { ACKNOWLEDGE_INTERVAL_MS } from '../protocol/limits.ts';
import type { ClientMessage, OutsideReason, ServerMessageOf } from '../protocol/messages.ts';
import type { Answer } from './client-view.ts';
import type { CurrentView } from './current-view.ts';
import { isPassing, type PendingRequests, plain, unanswered } from './pending-requests.ts';
import type { WatchedSections } from './watched-sections.ts';

/** Shortest pause before entering or watching again when the server was too busy for it; up to twice as long. */
const RETRY_PAUSE_MS = 1_000;
const REJOIN_MS_MIN = 500;

/** Where receipts of places are kept: beyond the page's life where it can be. */
export interface ReceiptShelf {
  read(show: number): string | null;
  /** Null: there is no place any more. */
  keep(show: number, receipt: string | null): void;
}

/** Keeps receipts as long as the client lives. */
export function passingShelf(): ReceiptShelf {
  const receipts = new Map<number, string | null>();
  return {
    read: (show) => receipts.get(show) ?? null,
    keep: (show, receipt) => receipts.set(show, receipt),
  };
}

export interface VisitParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly pending: PendingRequests;
  readonly view: CurrentView;
  readonly sections: WatchedSections;
  readonly shelf: ReceiptShelf;
  readonly send: (message: ClientMessage) => void;
}

/**
 * The show that is visited, whatever happens to sockets: entered again on each new one, its watched sections
 * resumed where they stand, what was applied acknowledged, and a place that the server lost asked for (rule 4.6).
 */
export class Visit {
  readonly #parts: VisitParts;
  #show: number | null = null;
  #entersOpen = 0;
  #watchesOpen = 0;
  #cancelAcknowledge: () => void = ignore;

  constructor(parts: VisitParts) {
    this.#parts = parts;
  }

  get show(): number | null {
    return this.#show;
  }

  /** Turns to a show whose sections have these numbers of seats. */
  begin(show: number, seatCounts: readonly number[]): void {
    this.#show = show;
    this.#parts.sections.begin(seatCounts);
  }

  /** The answer is this attempt's; attempts go on by themselves unless there is no such show. */
  async enter(): Promise<Answer> {
    const { pending, view } = this.#parts;
    const show = this.#show;
    if (show === null) return unanswered('show-unknown');
    this.#entersOpen++;
    const fields = () => {
      view.entering();
      return { show };
    };
    const settled = await pending.request('enter', fields, (heard) => {
      this.#entersOpen--;
      if (heard.ok || this.#show !== show) return;
      if (heard.code === 'show-unknown') this.#show = null;
      else if (isPassing(heard.code)) this.#later(heard.retryAfterMs, () => this.#enterAgain());
    });
    return plain(settled);
  }

  /** Asks for the watched sections, each from where it stands. */
  async watch(): Promise<Answer> {
    const { pending, sections } = this.#parts;
    this.#watchesOpen++;
    const fields = () => ({ sections: sections.positions() });
    const settled = await pending.request('watch', fields, (heard) => {
      this.#watchesOpen--;
      // A section may have missed something meanwhile; the pause keeps a server that never sends it calm.
      if (heard.ok ? !sections.complete : isPassing(heard.code)) {
        this.#later(heard.ok ? 0 : heard.retryAfterMs, () => this.watchAgain());
      }
    });
    return plain(settled);
  }

  /** Watches again unless that is under way. */
  watchAgain(): void {
    const { pending, sections } = this.#parts;
    if (pending.ready === 'show' && this.#watchesOpen === 0 && sections.watched.length > 0) {
      void this.watch();
    }
  }

  /** Asks for a place, with the receipt of the one there was. */
  async join(): Promise<Answer> {
    return plain(await this.#parts.pending.request('join', () => ({ receipt: this.#receipt })));
  }

  /** The server knows who we are. */
  welcomed(): void {
    if (this.#parts.pending.ready !== null) return;
    if (this.#entersOpen === 0) void this.enter();
    this.#parts.pending.becomeReady('session');
  }

  /** The answer to `enter`, or word of a new epoch. */
  entered(message: ServerMessageOf<'entered'>): void {
    if (message.show !== this.#show) return;
    const { pending, view, sections } = this.#parts;
    sections.enterEpoch(message.epoch);
    view.applyEntered(message);
    if (message.requestId === 0) return;
    if (pending.ready !== 'show') this.#acknowledgeLater();
    pending.becomeReady('show');
    this.watchAgain();
  }

  keepReceipt(receipt: string | null): void {
    if (this.#show !== null) this.#parts.shelf.keep(this.#show, receipt);
  }

  /** There is no place: one that ended for a reason is forgotten, one that is not known is asked for. */
  outside(reason: OutsideReason): void {
    if (reason !== 'not-joined' && reason !== 'lost') this.keepReceipt(null);
    else if (this.#receipt !== null) void this.#rejoin();
  }

  dropped(): void {
    this.#cancelAcknowledge();
    this.#parts.sections.dropped();
  }

  get #receipt(): string | null {
    return this.#show === null ? null : this.#parts.shelf.read(this.#show);
  }

  async #rejoin(): Promise<void> {
    const { clock, view } = this.#parts;
    const show = this.#show;
    const answer = await this.join();
    if (answer.ok || !isPassing(answer.code)) return;
    clock.after(Math.max(answer.retryAfterMs, REJOIN_MS_MIN), () => {
      if (this.#show === show && view.standing.state === 'outside') void this.#rejoin();
    });
  }

  #enterAgain(): void {
    if (this.#parts.pending.ready === 'session' && this.#entersOpen === 0) void this.enter();
  }

  #later(atLeastMs: number, task: () => void): void {
    const { clock, random } = this.#parts;
    clock.after(Math.max(atLeastMs, RETRY_PAUSE_MS) * (1 + random()), task);
  }

  #acknowledgeLater(): void {
    const { clock, sections, send } = this.#parts;
    this.#cancelAcknowledge = clock.after(ACKNOWLEDGE_INTERVAL_MS, () => {
      const acknowledge = sections.acknowledge();
      if (acknowledge) send(acknowledge);
      this.#acknowledgeLater();
    });
  }
}

function ignore(): void {
  // Nobody waits for this one.
}

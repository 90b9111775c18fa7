import type { OrderMessage, ServerMessageOf } from '../protocol/messages.ts';
import type { SectionState } from '../seat-map/section-feed.ts';
import { decodeSummaries, type SectionSummary } from '../seat-map/section-summary.ts';
import type {
  ClientChange,
  ClientView,
  Connection,
  HoldView,
  PhaseView,
  Sale,
  Standing,
} from './client-view.ts';
import { ServerTime } from './server-time.ts';

type StandingMessage = ServerMessageOf<'waiting' | 'admitted' | 'outside'>;

type HoldWord = Pick<ServerMessageOf<'hold' | 'hold-ended'>, 'holdToken' | 'revision'>;

const UNKNOWN: Standing = { state: 'unknown' };
const NO_WORD: HoldWord = { holdToken: -1, revision: -1 };

/** The view as the server's words make it: each method takes in one message. `sections` has an owner of its own. */
export class CurrentView implements ClientView {
  connection: Connection = { state: 'connecting' };
  sale: Sale | null = null;
  phase: PhaseView | null = null;
  standing: Standing = UNKNOWN;
  hold: HoldView | null = null;
  readonly orders = new Map<string, OrderMessage>();
  readonly summaries = new Map<number, SectionSummary>();
  readonly sections: ReadonlyMap<number, SectionState>;
  readonly time = new ServerTime();
  readonly #changed: (change: ClientChange) => void;
  /** The newest word about holds that was taken; older ones were overtaken on the way. */
  #lastHold: HoldWord = NO_WORD;
  #holdSeen = false;

  constructor(sections: ReadonlyMap<number, SectionState>, changed: (change: ClientChange) => void) {
    this.sections = sections;
    this.#changed = changed;
  }

  get serverTimeOffsetMs(): number {
    return this.time.offsetMs;
  }

  applyConnection(connection: Connection): void {
    this.connection = connection;
    this.#changed({ kind: 'connection' });
  }

  /** Forgets the show; the orders stay, for they belong to the buyer. */
  forget(): void {
    this.sale = null;
    this.phase = null;
    this.standing = UNKNOWN;
    this.hold = null;
    this.summaries.clear();
    this.#changed({ kind: 'sale' });
  }

  /** Another session is another buyer [P6]. */
  forgetBuyer(): void {
    this.standing = UNKNOWN;
    this.orders.clear();
    this.#changed({ kind: 'standing' });
    this.#endHold(null);
  }

  /** `enter` is on its way: all that is true will be said before the answer. */
  entering(): void {
    this.#holdSeen = false;
    this.#lastHold = NO_WORD;
  }

  applyEntered({ show, epoch, seatsPerBuyer, holdLifetimeMs, requestId }: ServerMessageOf<'entered'>): void {
    this.applyEpoch(epoch);
    this.sale = { show, epoch, seatsPerBuyer, holdLifetimeMs };
    this.#changed({ kind: 'sale' });
    if (requestId !== 0 && !this.#holdSeen) this.#endHold(null);
  }

  /** A snapshot of another epoch is the first word of it that may reach us. */
  applyEpoch(epoch: number): void {
    if (!this.sale || this.sale.epoch === epoch) return;
    this.sale = { ...this.sale, epoch };
    this.#changed({ kind: 'sale' });
  }

  applyPhase({ phase, lobbyAt, opensAt }: ServerMessageOf<'phase'>): void {
    this.phase = { phase, lobbyAt, opensAt };
    this.#changed({ kind: 'phase' });
  }

  applyStanding(message: StandingMessage): void {
    if (message.type === 'waiting') {
      const { position, behind, wait } = message;
      this.standing = { state: 'waiting', position, behind, wait };
    } else if (message.type === 'admitted') {
      this.standing = { state: 'admitted', deadline: message.deadline };
    } else {
      this.standing = { state: 'outside', reason: message.reason };
    }
    this.#changed({ kind: 'standing' });
  }

  /** Takes a hold over as a whole, unless it is older than what is known. */
  applyHold(message: ServerMessageOf<'hold'>): void {
    this.#holdSeen = true;
    if (!this.#isNews(message)) return;
    this.hold = holdViewOf(message);
    this.#changed({ kind: 'hold', ended: null });
  }

  applyHoldEnded(message: ServerMessageOf<'hold-ended'>): void {
    if (!this.#isNews(message)) return;
    const { holdToken, seats, reason } = message;
    if (this.hold && this.hold.holdToken <= holdToken) this.#endHold({ seats, reason });
  }

  /** 6.3 tokens rise from hold to hold, revisions within one. */
  #isNews({ holdToken, revision }: HoldWord): boolean {
    const last = this.#lastHold;
    if (holdToken < last.holdToken || (holdToken === last.holdToken && revision <= last.revision))
      return false;
    this.#lastHold = { holdToken, revision };
    return true;
  }

  /** An order that has its outcome keeps it: word that it is processing was overtaken on the way. */
  applyOrder(order: OrderMessage): void {
    const known = this.orders.get(order.id);
    if (known && known.status !== 'processing' && order.status === 'processing') return;
    this.orders.set(order.id, order);
    this.#changed({ kind: 'order', order });
  }

  /** False if the bytes don't fit a show of `sectionCount` sections. */
  applySummary({ sections }: ServerMessageOf<'summary'>, sectionCount: number): boolean {
    const summaries = decodeSummaries(sections, sectionCount);
    if (!summaries) return false;
    for (const summary of summaries) this.summaries.set(summary.section, summary);
    this.#changed({ kind: 'summaries', sections: summaries.map((summary) => summary.section) });
    return true;
  }

  #endHold(ended: Extract<ClientChange, { kind: 'hold' }>['ended']): void {
    if (!this.hold) return;
    this.hold = null;
    this.#changed({ kind: 'hold', ended });
  }
}

export function holdViewOf(message: ServerMessageOf<'hold'>): HoldView {
  const { holdToken, seats, expiresAt, extensionsLeft, orderId, payment } = message;
  return { holdToken, seats, expiresAt, extensionsLeft, orderId, payment };
}

import type { Hold } from '../feed/show-feed.ts';
import { AVAILABLE, HELD, type SeatStatus, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { HoldEndReason } from '@stampede/shared/protocol/messages.ts';
import { SeatNotes } from './seat-notes.ts';
import type { HoldToken, OrderId, SeatIndex, SessionId } from '../platform/ids.ts';
import { CHECKOUT_CARE, type SeatFacts, type SeatRules, type UnsettledCheckout } from './seat-store.ts';
import type { FeedEntry, SeatChange } from '../feed/show-feed.ts';

/** A live hold, as decisions change it. */
export interface LiveHold {
  readonly holdToken: HoldToken;
  readonly session: SessionId;
  readonly prices: Map<SeatIndex, number>;
  expiresAt: number;
  extensionsLeft: number;
  checkout: LiveCheckout | null;
  /** Checkouts of this hold by idempotency key, ended ones included: a repeated key must find its order. */
  readonly checkouts: Map<string, LiveCheckout>;
  revision: number;
}

/** A hold frozen for payment. */
export interface LiveCheckout {
  readonly orderId: OrderId;
  readonly amount: number;
  /** Milliseconds the hold had left when it was frozen; a decline gives them back. */
  readonly timeLeftMs: number;
  readonly begunAt: number;
  stage: CheckoutStage;
}

/**
 * How far a payment request is on its way to the payment log; never goes back. Only what is `new` may be given up:
 * it was handed over by one node, which knows that it was refused.
 */
export type CheckoutStage = 'new' | 'repeated' | 'accepted';

/** A checkout that is remembered until it is settled, and when somebody has to look after it. */
export interface RememberedCheckout extends UnsettledCheckout {
  readonly dueAt: number;
}

export interface SeatBooksParts {
  readonly seatCount: number;
  /** The token of a hold that begins; each is above every one before. */
  readonly nextToken: () => HoldToken;
  /** Is told what each step changed, in order. */
  readonly emit: (entry: FeedEntry) => void;
  readonly now: () => number;
}

/**
 * The seats of one show, or the part of them that one step touches: who has what. Only keeps the books; whether
 * something is allowed is for `seat-decisions.ts` to say. Every change is told to the feed.
 */
export class SeatBooks {
  readonly statuses: Uint8Array;
  /** Checkouts without an outcome. */
  readonly unsettled = new Map<OrderId, RememberedCheckout>();
  readonly notes = new SeatNotes();
  readonly #holdOfSeat = new Map<SeatIndex, LiveHold>();
  readonly #bySession = new Map<SessionId, LiveHold>();
  readonly #bought = new Map<SessionId, number>();
  readonly #buyers = new Map<SeatIndex, SessionId>();
  readonly #nextToken: () => HoldToken;
  readonly #emit: (entry: FeedEntry) => void;
  readonly #now: () => number;

  constructor({ seatCount, nextToken, emit, now }: SeatBooksParts) {
    this.statuses = new Uint8Array(seatCount);
    this.#nextToken = nextToken;
    this.#emit = emit;
    this.#now = now;
  }

  /** Enters a hold that exists already, silently. */
  enter(hold: LiveHold): void {
    this.#bySession.set(hold.session, hold);
    for (const seat of hold.prices.keys()) {
      this.statuses[seat] = HELD;
      this.#holdOfSeat.set(seat, hold);
    }
  }

  /** Enters a seat's status, silently. A held seat whose hold isn't entered belongs to somebody who keeps it. */
  enterStatus(seat: SeatIndex, status: SeatStatus): void {
    this.statuses[seat] = status;
  }

  /** Enters how many seats a session has bought. */
  enterBought(session: SessionId, seats: number): void {
    this.#bought.set(session, seats);
  }

  /** Restores what the database and the payment log know, silently: it is the base of a new history. */
  restore(rules: SeatRules, facts: SeatFacts, now: number): void {
    for (const { seat, session } of facts.sold) this.#markSold(seat, session);
    for (const one of facts.checkouts) {
      if (one.keepUntil <= now) continue;
      // A seat that is sold already was settled before the log knew; nothing of that hold is left to keep.
      if (one.seats.some((seat) => this.statuses[seat] !== AVAILABLE)) continue;
      // Two at once can only be a checkout that was abandoned though the log had it, and the one after it. Neither
      // is lost: the database decides both. But a buyer has one hold.
      if (this.#bySession.has(one.session)) continue;
      const { orderId, amount, begunAt } = one;
      const timeLeftMs = rules.holdLifetimeMs;
      const checkout: LiveCheckout = { orderId, amount, timeLeftMs, begunAt, stage: 'accepted' };
      this.unsettled.set(orderId, { ...one, dueAt: now + CHECKOUT_CARE.settledWithinMs });
      this.enter({
        holdToken: one.holdToken,
        session: one.session,
        prices: new Map(one.seats.map((seat, index) => [seat, one.prices[index] ?? 0])),
        expiresAt: one.keepUntil,
        extensionsLeft: rules.extensionsMax,
        checkout,
        checkouts: new Map([[one.idempotencyKey, checkout]]),
        revision: now,
      });
    }
  }

  ofSession(session: SessionId): LiveHold | undefined {
    return this.#bySession.get(session);
  }

  ofSeat(seat: SeatIndex): LiveHold | undefined {
    return this.#holdOfSeat.get(seat);
  }

  holds(): Iterable<LiveHold> {
    return this.#bySession.values();
  }

  /** Seats the session has bought. */
  boughtBy(session: SessionId): number {
    return this.#bought.get(session) ?? 0;
  }

  /** Seats bought, by session. */
  get bought(): ReadonlyMap<SessionId, number> {
    return this.#bought;
  }

  /** Starts an empty hold with the next token. */
  begin(session: SessionId, expiresAt: number, extensionsLeft: number): LiveHold {
    const holdToken = this.#nextToken();
    const hold: LiveHold = {
      holdToken,
      session,
      prices: new Map(),
      expiresAt,
      extensionsLeft,
      checkout: null,
      checkouts: new Map(),
      revision: 0,
    };
    this.enter(hold);
    return hold;
  }

  /** Tells the feed of something that is no change of a hold. */
  tell(entry: FeedEntry): void {
    this.#emit(entry);
  }

  /** Gives available seats to a hold and tells the feed. */
  take(hold: LiveHold, seats: readonly SeatIndex[], priceOf: (seat: SeatIndex) => number): void {
    const changes: SeatChange[] = [];
    for (const seat of seats) {
      this.#give(hold, seat, priceOf(seat));
      changes.push({ seat, status: HELD });
    }
    this.#tellHold(hold, changes);
  }

  /** Takes seats out of a hold that lives on. */
  free(hold: LiveHold, seats: readonly SeatIndex[]): void {
    for (const seat of seats) this.notes.giveBack(seat, this.#now());
    const changes = seats.flatMap((seat) => this.#takeFrom(hold, seat));
    this.#tellHold(hold, changes);
  }

  /** Tells the feed how a hold stands now. */
  announce(hold: LiveHold): void {
    this.#tellHold(hold, []);
  }

  /** Ends a hold; what it still has is on sale again. */
  end(hold: LiveHold, reason: HoldEndReason, seats: readonly SeatIndex[] = [...hold.prices.keys()]): void {
    const isGivenBack = reason === 'released' || reason === 'expired';
    for (const seat of hold.prices.keys()) {
      if (isGivenBack) this.notes.giveBack(seat, reason === 'expired' ? hold.expiresAt : this.#now());
      else this.notes.drop(seat);
    }
    const changes = [...hold.prices.keys()].flatMap((seat) => this.#takeFrom(hold, seat));
    this.#bySession.delete(hold.session);
    const { session, holdToken: token } = hold;
    const revision = this.#revise(hold);
    this.#emit({
      changes,
      notice: { kind: 'hold-ended', session, holdToken: token, seats, reason, revision },
    });
  }

  /** Marks a seat sold, whoever had it. Returns what changed and the hold that has the seat no longer. */
  sell(seat: SeatIndex, session: SessionId): { changes: SeatChange[]; holder: LiveHold | undefined } {
    if (this.statuses[seat] === SOLD) return { changes: [], holder: undefined };
    const holder = this.#holdOfSeat.get(seat);
    if (holder) this.#takeFrom(holder, seat);
    this.notes.drop(seat);
    this.#markSold(seat, session);
    return { changes: [{ seat, status: SOLD }], holder };
  }

  /** Puts a sold seat on sale again. Returns what changed. */
  unsell(seat: SeatIndex): SeatChange[] {
    if (this.statuses[seat] !== SOLD) return [];
    this.statuses[seat] = AVAILABLE;
    return [{ seat, status: AVAILABLE }];
  }

  /** The session that a seat was sold to in these books. */
  buyerOf(seat: SeatIndex): SessionId | null {
    return this.#buyers.get(seat) ?? null;
  }

  #tellHold(hold: LiveHold, changes: readonly SeatChange[]): void {
    this.#revise(hold);
    this.#emit({ changes, notice: { kind: 'hold', session: hold.session, hold: holdOf(hold) } });
  }

  /** The time is part of it so that a restored hold, whose revision is lost, goes on above it. */
  #revise(hold: LiveHold): number {
    hold.revision = Math.max(hold.revision + 1, this.#now());
    return hold.revision;
  }

  #markSold(seat: SeatIndex, session: SessionId): void {
    this.statuses[seat] = SOLD;
    this.#buyers.set(seat, session);
    this.#bought.set(session, this.boughtBy(session) + 1);
  }

  #give(hold: LiveHold, seat: SeatIndex, price: number): void {
    this.statuses[seat] = HELD;
    this.#holdOfSeat.set(seat, hold);
    hold.prices.set(seat, price);
  }

  #takeFrom(hold: LiveHold, seat: SeatIndex): SeatChange[] {
    if (!hold.prices.delete(seat)) return [];
    this.#holdOfSeat.delete(seat);
    this.statuses[seat] = AVAILABLE;
    return [{ seat, status: AVAILABLE }];
  }
}

/** What the port shows of a live hold. */
export function holdOf(hold: LiveHold): Hold {
  let amount = 0;
  for (const price of hold.prices.values()) amount += price;
  return {
    holdToken: hold.holdToken,
    seats: [...hold.prices.keys()],
    amount: hold.checkout?.amount ?? amount,
    expiresAt: hold.expiresAt,
    extensionsLeft: hold.extensionsLeft,
    orderId: hold.checkout?.orderId ?? null,
    begunAt: hold.checkout?.begunAt ?? 0,
    isAccepted: hold.checkout?.stage === 'accepted',
    revision: hold.revision,
  };
}

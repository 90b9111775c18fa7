import type { HoldEndReason } from '@stampede/shared/protocol/messages.ts';
import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { FeedEntry, Hold, SeatChange } from '../feed/show-feed.ts';
import {
  holdToken,
  type HoldToken,
  type NetworkTag,
  type OrderId,
  type SeatIndex,
  type SessionId,
} from '../platform/ids.ts';
import { noteGivenBack, type SeatNote, timesGivenBack } from './seat-notes.ts';
import { CHECKOUT_CARE, type SeatFacts, type SeatRules, type UnsettledCheckout } from './seat-store.ts';

/** A live hold, as decisions change it. */
export interface LiveHold {
  readonly holdToken: HoldToken;
  readonly session: SessionId;
  /** In the order they were taken. */
  readonly seats: Map<SeatIndex, HeldSeat>;
  expiresAt: number;
  extensionsLeft: number;
  checkout: LiveCheckout | null;
  /** Checkouts of this hold by idempotency key, ended ones included: a repeated key must find its order. */
  readonly checkouts: Map<string, LiveCheckout>;
  revision: number;
}

export interface HeldSeat {
  readonly price: number;
  /** Null where nobody knows. */
  readonly takenAt: number | null;
  /** How often in a row the holder, or somebody of their network, had given it back before. */
  readonly givenBack: number;
  readonly network: NetworkTag | null;
}

/** A hold frozen for payment. */
export interface LiveCheckout {
  readonly orderId: OrderId;
  readonly amount: number;
  /** Milliseconds the hold had left when it was frozen; a decline gives them back. */
  readonly timeLeftMs: number;
  readonly begunAt: number;
  /**
   * How far its payment request is on its way to the payment log; never goes back. Only what is `new` may be given up:
   * it was handed over by one node, which knows that it was refused.
   */
  stage: 'new' | 'repeated' | 'accepted';
}

/** A checkout that is remembered until it is settled, and when somebody has to look after it. */
export interface RememberedCheckout extends UnsettledCheckout {
  readonly dueAt: number;
}

/**
 * The seats of one show, or the part of them that one step touches: who has what. Only keeps the books; whether
 * something is allowed is for `seat-decisions.ts` to say. Every change is told to the feed.
 */
export class SeatBooks {
  /** A held seat whose hold isn't entered belongs to somebody who keeps it. */
  readonly statuses: Uint8Array;
  readonly holds = new Map<SessionId, LiveHold>();
  /** Checkouts without an outcome. */
  readonly unsettled = new Map<OrderId, RememberedCheckout>();
  /** How many seats each has bought. */
  readonly bought = new Map<SessionId, number>();
  /** Of seats that were sold in these books, to whom. */
  readonly buyers = new Map<SeatIndex, SessionId>();
  /** Of seats that were given back. */
  readonly notes = new Map<SeatIndex, SeatNote>();
  /** How many seats are held from a network. */
  readonly heldFrom = new Map<NetworkTag, number>();
  /** Is told what each step changed, in order. */
  readonly tell: (entry: FeedEntry) => void;
  /** The instant of the step. */
  now: number;
  /** Of the newest hold: the next one gets a higher one. */
  lastToken = 0;
  readonly #holders = new Map<SeatIndex, LiveHold>();

  constructor(seatCount: number, now: number, tell: (entry: FeedEntry) => void) {
    this.statuses = new Uint8Array(seatCount);
    this.now = now;
    this.tell = tell;
  }

  /** Enters a hold that exists already, silently. */
  enter(hold: LiveHold): void {
    this.holds.set(hold.session, hold);
    for (const seat of hold.seats.keys()) {
      this.statuses[seat] = HELD;
      this.#holders.set(seat, hold);
    }
  }

  /** Restores what the database and the payment log know, silently: it is the base of a new history. */
  restore(rules: SeatRules, facts: SeatFacts): void {
    // A clock in microseconds outruns the tokens of any earlier history, wherever it was kept.
    const tokens = facts.checkouts.map((one) => one.holdToken);
    this.lastToken = tokens.reduce((highest, token) => Math.max(highest, token), this.now * 1_000);
    for (const { seat, session } of facts.sold) this.#markSold(seat, session);
    for (const one of facts.checkouts) {
      if (one.keepUntil <= this.now) continue;
      // A seat that is sold already was settled before the log knew; nothing of that hold is left to keep.
      if (one.seats.some((seat) => this.statuses[seat] !== AVAILABLE)) continue;
      // Two at once can only be a checkout that was abandoned though the log had it, and the one after it. Neither
      // is lost: the database decides both. But a buyer has one hold.
      if (this.holds.has(one.session)) continue;
      const { orderId, amount, begunAt } = one;
      const timeLeftMs = rules.holdLifetimeMs;
      const checkout: LiveCheckout = { orderId, amount, timeLeftMs, begunAt, stage: 'accepted' };
      this.unsettled.set(orderId, { ...one, dueAt: this.now + CHECKOUT_CARE.settledWithinMs });
      const unknown = { takenAt: null, givenBack: 0, network: null };
      this.enter({
        holdToken: one.holdToken,
        session: one.session,
        seats: new Map(one.seats.map((seat, index) => [seat, { price: one.prices[index] ?? 0, ...unknown }])),
        expiresAt: one.keepUntil,
        extensionsLeft: rules.extensionsMax,
        checkout,
        checkouts: new Map([[one.idempotencyKey, checkout]]),
        revision: this.now,
      });
    }
  }

  /** The session's hold. One past its deadline is ended in passing: it counts as gone, swept or not [P3]. */
  live(session: SessionId): LiveHold | undefined {
    const hold = this.holds.get(session);
    if (!hold || hold.expiresAt > this.now) return hold;
    this.end(hold, 'expired');
    return undefined;
  }

  holderOf(seat: SeatIndex): LiveHold | undefined {
    return this.#holders.get(seat);
  }

  isFree(seat: SeatIndex): boolean {
    const holder = this.#holders.get(seat);
    if (holder) this.live(holder.session);
    return this.statuses[seat] === AVAILABLE;
  }

  /** A hold with the next token, to be given its first seats. */
  begin(session: SessionId, { holdLifetimeMs, extensionsMax }: SeatRules): LiveHold {
    this.lastToken += 1;
    return {
      holdToken: holdToken(this.lastToken),
      session,
      seats: new Map(),
      expiresAt: this.now + holdLifetimeMs,
      extensionsLeft: extensionsMax,
      checkout: null,
      checkouts: new Map(),
      revision: 0,
    };
  }

  /** Gives available seats to a hold and tells the feed. */
  take(hold: LiveHold, prices: ReadonlyMap<SeatIndex, number>, network: NetworkTag | null): void {
    const taker = { session: hold.session, network };
    for (const [seat, price] of prices) {
      const givenBack = timesGivenBack(this.notes.get(seat), taker, this.now);
      hold.seats.set(seat, { price, takenAt: this.now, givenBack, network });
      this.notes.delete(seat);
      this.#countHeld(network, 1);
    }
    this.enter(hold);
    this.announce(
      hold,
      Array.from(prices.keys(), (seat) => ({ seat, status: HELD })),
    );
  }

  /** Takes seats out of a hold that lives on. */
  free(hold: LiveHold, seats: readonly SeatIndex[]): void {
    this.announce(
      hold,
      seats.map((seat) => this.#takeFrom(hold, seat, this.now)),
    );
  }

  /** Tells the feed how a hold stands now. */
  announce(hold: LiveHold, changes: readonly SeatChange[] = []): void {
    this.#revise(hold);
    this.tell({ changes, notice: { kind: 'hold', session: hold.session, hold: holdOf(hold) } });
  }

  /** Ends a hold; what it still has is on sale again. */
  end(hold: LiveHold, reason: HoldEndReason, seats: readonly SeatIndex[] = [...hold.seats.keys()]): void {
    const { session, holdToken: token } = hold;
    const isGivenBack = reason === 'released' || reason === 'expired';
    const at = reason === 'expired' ? hold.expiresAt : this.now;
    const changes = Array.from(hold.seats.keys(), (seat) =>
      this.#takeFrom(hold, seat, isGivenBack ? at : null),
    );
    this.holds.delete(session);
    const revision = this.#revise(hold);
    this.tell({
      changes,
      notice: { kind: 'hold-ended', session, holdToken: token, seats, reason, revision },
    });
  }

  /** Marks seats sold, whoever has them. `losses`: what holds lost by it. */
  sell(
    seats: readonly SeatIndex[],
    session: SessionId,
  ): { readonly changes: readonly SeatChange[]; readonly losses: Map<LiveHold, SeatIndex[]> } {
    const fresh = [...new Set(seats)].filter((seat) => this.statuses[seat] !== SOLD);
    const losses = new Map<LiveHold, SeatIndex[]>();
    for (const seat of fresh) {
      const holder = this.#holders.get(seat);
      if (holder) {
        this.#takeFrom(holder, seat, null);
        losses.set(holder, [...(losses.get(holder) ?? []), seat]);
      }
      this.#markSold(seat, session);
    }
    return { changes: fresh.map((seat) => ({ seat, status: SOLD })), losses };
  }

  #markSold(seat: SeatIndex, session: SessionId): void {
    this.statuses[seat] = SOLD;
    this.buyers.set(seat, session);
    this.bought.set(session, (this.bought.get(session) ?? 0) + 1);
  }

  /** @param givenBackAt null: the seat was sold, or taken from who held it, so nobody hoards it */
  #takeFrom(hold: LiveHold, seat: SeatIndex, givenBackAt: number | null): SeatChange {
    const held = hold.seats.get(seat);
    hold.seats.delete(seat);
    this.#holders.delete(seat);
    this.statuses[seat] = AVAILABLE;
    if (held) {
      const { takenAt, givenBack, network } = held;
      this.#countHeld(network, -1);
      if (takenAt !== null && givenBackAt !== null) {
        const holder = { session: hold.session, network };
        this.notes.set(seat, noteGivenBack(holder, { takenAt, givenBack }, givenBackAt));
      }
    }
    return { seat, status: AVAILABLE };
  }

  #countHeld(network: NetworkTag | null, more: 1 | -1): void {
    if (network !== null) this.heldFrom.set(network, (this.heldFrom.get(network) ?? 0) + more);
  }

  /** The time is part of it so that a restored hold, whose revision is lost, goes on above it. */
  #revise(hold: LiveHold): number {
    hold.revision = Math.max(hold.revision + 1, this.now);
    return hold.revision;
  }
}

/** What the port shows of a live hold. */
export function holdOf({ seats, checkout, expiresAt, extensionsLeft, revision, ...hold }: LiveHold): Hold {
  return {
    holdToken: hold.holdToken,
    seats: [...seats.keys()],
    amount: checkout?.amount ?? seats.values().reduce((sum, { price }) => sum + price, 0),
    expiresAt,
    extensionsLeft,
    orderId: checkout?.orderId ?? null,
    begunAt: checkout?.begunAt ?? 0,
    isAccepted: checkout?.stage === 'accepted',
    revision,
  };
}

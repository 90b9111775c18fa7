import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import type { HoldToken, OrderId, SessionId } from '../../../src/platform/ids.ts';
import type { RefusalCode } from '@stampede/shared/protocol/codes.ts';
import { CHECKOUT_CARE, type Settlement } from '../../../src/seating/seat-store.ts';
import { noteGivenBack, restMs, type SeatNote, timesGivenBack } from '../../../src/seating/seat-notes.ts';
import { EXTENSIONS_MAX, HOLD_LIFETIME_MS, priceOfAll, SEATS_PER_BUYER } from './seat-stand.ts';

export interface ModelHold {
  readonly session: SessionId;
  readonly token: HoldToken;
  seats: number[];
  expiresAt: number;
  extensionsLeft: number;
  checkout: ModelOrder | null;
  readonly byKey: Map<string, ModelOrder>;
}

export interface ModelOrder {
  readonly id: OrderId;
  readonly session: SessionId;
  readonly token: HoldToken;
  readonly seats: readonly number[];
  readonly amount: number;
  readonly timeLeftMs: number;
  readonly begunAt: number;
  stage: 'new' | 'repeated' | 'accepted';
  /** When somebody has to look after it; null once it is settled. */
  dueAt: number | null;
  /** What the database decided, once and for all. */
  fate: Settlement['kind'] | null;
}

export type Answer<T> = { readonly code: RefusalCode } | { readonly code: 'ok'; readonly value: T };

const ok = <T>(value: T): Answer<T> => ({ code: 'ok', value });

/**
 * The promises of a seat store, as simply as they can be said: no feed, no tokens of its own, no sweeping. What ran
 * out is gone the moment time moves.
 */
export class SaleModel {
  readonly sold = new Map<number, SessionId>();
  /** Every order ever accepted. */
  readonly orders: ModelOrder[] = [];
  holds: ModelHold[] = [];
  /** Seats of holds that ran out since the last sweep: a store may still show them as held. */
  readonly unswept = new Set<number>();
  readonly #admittedUntil = new Map<SessionId, number>();
  readonly #seatCount: number;
  /** The rule of the cool-down itself is tried by `hoarding-rules.ts`. */
  readonly #notes = new Map<number, SeatNote>();
  /** Of each seat that is held, when it was taken, and how often its holder had given it back before. */
  readonly #taken = new Map<number, { takenAt: number; givenBack: number }>();
  now: number;

  constructor(seatCount: number, now: number) {
    this.#seatCount = seatCount;
    this.now = now;
  }

  pass(ms: number): void {
    this.now += ms;
    for (const hold of this.holds.filter((one) => one.expiresAt <= this.now)) {
      for (const seat of hold.seats) {
        this.unswept.add(seat);
        this.#giveBack(seat, hold.session, hold.expiresAt);
      }
      this.#drop(hold);
    }
  }

  admit(session: SessionId, deadline: number): void {
    this.#admittedUntil.set(session, deadline);
  }

  holdOf(session: SessionId): ModelHold | undefined {
    return this.holds.find((hold) => hold.session === session);
  }

  holderOf(seat: number): ModelHold | undefined {
    return this.holds.find((hold) => hold.seats.includes(seat));
  }

  /** `token`: what the store numbered the hold, should it be a new one. */
  hold(session: SessionId, seats: readonly number[], token: HoldToken): Answer<ModelHold> {
    if ((this.#admittedUntil.get(session) ?? 0) <= this.now) return { code: 'not-admitted' };
    if (seats.some((seat) => seat < 0 || seat >= this.#seatCount)) return { code: 'seat-unknown' };
    const hold = this.holdOf(session);
    if (hold?.checkout) return { code: 'in-checkout' };
    const wanted = [...new Set(seats)].filter((seat) => !hold?.seats.includes(seat));
    const bought = [...this.sold.values()].filter((one) => one === session).length;
    const have = (hold?.seats.length ?? 0) + bought;
    if (wanted.length > 0 && have + wanted.length > SEATS_PER_BUYER) return { code: 'limit-exceeded' };
    if (wanted.some((seat) => this.sold.has(seat) || this.holderOf(seat))) return { code: 'seat-taken' };
    const taker = { session, network: null };
    if (wanted.some((seat) => restMs(this.#notes.get(seat), taker, this.now) > 0))
      return { code: 'cooling-down' };
    for (const seat of wanted) {
      this.unswept.delete(seat);
      const givenBack = timesGivenBack(this.#notes.get(seat), taker, this.now);
      this.#taken.set(seat, { takenAt: this.now, givenBack });
      this.#notes.delete(seat);
    }
    if (hold) {
      hold.seats.push(...wanted);
      return ok(hold);
    }
    const begun: ModelHold = {
      session,
      token,
      seats: wanted,
      expiresAt: this.now + HOLD_LIFETIME_MS,
      extensionsLeft: EXTENSIONS_MAX,
      checkout: null,
      byKey: new Map(),
    };
    this.holds.push(begun);
    return ok(begun);
  }

  extend(session: SessionId, token: HoldToken): Answer<ModelHold> {
    const found = this.#changeable(session, token);
    if (found.code !== 'ok') return found;
    if (found.value.extensionsLeft === 0) return { code: 'extension-limit' };
    found.value.extensionsLeft -= 1;
    found.value.expiresAt = this.now + HOLD_LIFETIME_MS;
    return found;
  }

  release(session: SessionId, token: HoldToken, seats: readonly number[]): Answer<ModelHold> {
    const found = this.#changeable(session, token);
    if (found.code !== 'ok') return found;
    const hold = found.value;
    if (seats.some((seat) => !hold.seats.includes(seat))) return { code: 'seat-unknown' };
    for (const seat of seats.length === 0 ? hold.seats : seats) this.#giveBack(seat, session, this.now);
    hold.seats = seats.length === 0 ? [] : hold.seats.filter((seat) => !seats.includes(seat));
    if (hold.seats.length === 0) this.#drop(hold);
    return found;
  }

  checkout(
    session: SessionId,
    token: HoldToken,
    key: string,
    amount: number,
    id: OrderId,
    keepUntil: number,
  ): Answer<ModelOrder> {
    const found = this.#own(session, token);
    if (found.code !== 'ok') return found;
    const hold = found.value;
    const known = hold.byKey.get(key);
    if (known && known.amount !== amount) return { code: 'idempotency-mismatch' };
    if (known?.stage === 'new') known.stage = 'repeated';
    if (known) return ok(known);
    if (hold.checkout) return { code: 'in-checkout' };
    if (hold.byKey.size >= CHECKOUTS_PER_HOLD_MAX) return { code: 'limit-exceeded' };
    if (priceOfAll(hold.seats) !== amount) return { code: 'amount-changed' };
    const timeLeftMs = hold.expiresAt - this.now;
    const order: ModelOrder = {
      ...{ id, session, token, seats: [...hold.seats], amount, timeLeftMs, begunAt: this.now, fate: null },
      ...{ stage: 'new', dueAt: this.now + CHECKOUT_CARE.handedOverWithinMs },
    };
    hold.checkout = order;
    hold.byKey.set(key, order);
    hold.expiresAt = Math.max(hold.expiresAt, keepUntil);
    this.orders.push(order);
    return ok(order);
  }

  abandon(order: ModelOrder): void {
    const hold = this.holdOf(order.session);
    if (hold?.checkout !== order || order.stage !== 'new') return;
    order.dueAt = null;
    this.#thaw(hold, order);
    for (const [key, one] of hold.byKey) if (one === order) hold.byKey.delete(key);
  }

  accept(order: ModelOrder): void {
    if (order.dueAt !== null) order.dueAt = this.now + CHECKOUT_CARE.settledWithinMs;
    if (this.holdOf(order.session)?.checkout === order) order.stage = 'accepted';
  }

  overdue(): readonly ModelOrder[] {
    const overdue = this.orders.filter((order) => order.dueAt !== null && order.dueAt <= this.now);
    for (const order of overdue) {
      order.dueAt = this.now + CHECKOUT_CARE.againMs;
      if (this.holdOf(order.session)?.checkout === order && order.stage === 'new') order.stage = 'repeated';
    }
    return overdue;
  }

  /** The database's part: an order gets its fate once, and no seat is sold to two orders [P1]. */
  decide(order: ModelOrder, wish: Settlement['kind']): void {
    if (order.fate) return;
    const rivals = this.orders.filter((one) => one !== order && one.fate === 'sold');
    const clash = rivals.some((rival) => rival.seats.some((seat) => order.seats.includes(seat)));
    order.fate = wish === 'sold' && clash ? 'voided' : wish;
  }

  settle(order: ModelOrder): void {
    order.dueAt = null;
    const paying = this.holds.find((hold) => hold.checkout === order);
    if (order.fate === 'sold') {
      for (const seat of order.seats) this.#sell(seat, order.session);
      if (paying) this.#drop(paying);
    }
    if (order.fate === 'voided' && paying) {
      for (const seat of paying.seats) this.#taken.delete(seat);
      this.#drop(paying);
    }
    if (order.fate === 'returned' && paying) this.#thaw(paying, order);
  }

  #sell(seat: number, session: SessionId): void {
    this.sold.set(seat, session);
    this.#taken.delete(seat);
    this.unswept.delete(seat);
    const holder = this.holderOf(seat);
    if (!holder) return;
    holder.seats = holder.seats.filter((one) => one !== seat);
    if (holder.seats.length === 0) this.#drop(holder);
  }

  #giveBack(seat: number, session: SessionId, at: number): void {
    const taken = this.#taken.get(seat);
    this.#taken.delete(seat);
    if (taken) this.#notes.set(seat, noteGivenBack({ session, network: null }, taken, at));
  }

  #thaw(hold: ModelHold, order: ModelOrder): void {
    hold.checkout = null;
    hold.expiresAt = this.now + order.timeLeftMs;
  }

  #own(session: SessionId, token: HoldToken): Answer<ModelHold> {
    const hold = this.holds.find((one) => one.token === token && one.session === session);
    return hold ? ok(hold) : { code: 'hold-ended' };
  }

  #changeable(session: SessionId, token: HoldToken): Answer<ModelHold> {
    const found = this.#own(session, token);
    return found.code === 'ok' && found.value.checkout ? { code: 'in-checkout' } : found;
  }

  #drop(hold: ModelHold): void {
    this.holds = this.holds.filter((one) => one !== hold);
  }
}

import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import { AVAILABLE, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { Hold, ReleasedHold } from '../feed/show-feed.ts';
import { type OrderId, orderId, type SeatIndex, type SessionId } from '../platform/ids.ts';
import { done, type Outcome, refuse } from '../platform/outcome.ts';
import { holdOf, type LiveHold, type SeatBooks } from './seat-books.ts';
import { COOL_DOWN_MS, restMs } from './seat-notes.ts';
import { assertPriced } from './seat-steps.ts';
import type { AbandonStep, AcceptStep, AnswerTo, Checkout, CheckoutStep } from './seat-steps.ts';
import type { ExtendStep, HoldStep, ReleaseStep, SeatStep } from './seat-steps.ts';
import {
  CHECKOUT_CARE,
  type SeatRepairs,
  type SeatRules,
  type Settlement,
  type UnsettledCheckout,
} from './seat-store.ts';

// What `SeatStore` promises, decided on books that are read and changed in this process. A store that keeps its seats
// elsewhere reads the part of the books that a step needs, decides here, and writes back what changed.

/**
 * Decides one step of a buyer.
 * @param isAdmitted whether a session may shop at this instant
 */
export function decide(
  seats: SeatBooks,
  rules: SeatRules,
  step: SeatStep,
  isAdmitted: (session: SessionId, now: number) => boolean,
): AnswerTo<SeatStep> {
  switch (step.kind) {
    case 'hold':
      return holdSeats(seats, rules, step, isAdmitted(step.session, seats.now));
    case 'extend':
      return extendHold(seats, rules, step);
    case 'release':
      return releaseSeats(seats, step);
    case 'checkout':
      return beginCheckout(seats, step);
    case 'accept':
      return acceptCheckout(seats, step);
    case 'abandon':
      return abandonCheckout(seats, step);
  }
}

function holdSeats(seats: SeatBooks, rules: SeatRules, step: HoldStep, isAdmitted: boolean): Outcome<Hold> {
  const { session, network } = step;
  assertPriced(step);
  if (!isAdmitted) return refuse('not-admitted');
  const unknown = step.seats.filter((seat) => !(seat >= 0 && seat < rules.seatCount));
  if (unknown.length > 0) return refuse('seat-unknown', { seats: unknown });
  const current = seats.live(session);
  if (current?.checkout) return refuse('in-checkout');

  const prices = new Map(step.seats.map((seat, index) => [seat, step.prices[index] ?? 0]));
  for (const seat of current?.seats.keys() ?? []) prices.delete(seat);
  const wanted = [...prices.keys()];
  if (current && wanted.length === 0) return done(holdOf(current));
  const owned = (current?.seats.size ?? 0) + (seats.bought.get(session) ?? 0);
  if (owned + wanted.length > rules.seatsPerBuyer) {
    return refuse('limit-exceeded', { detail: `at most ${rules.seatsPerBuyer} seats a buyer` });
  }
  const taken = wanted.filter((seat) => !seats.isFree(seat));
  if (taken.length > 0) return refuse('seat-taken', { seats: taken });
  const rests = new Map(wanted.map((seat) => [seat, restMs(seats.notes.get(seat), step, seats.now)]));
  const resting = wanted.filter((seat) => rests.get(seat) !== 0);
  if (resting.length > 0) {
    const retryAfterMs = Math.max(...rests.values());
    return refuse('cooling-down', { seats: resting, detail: 'given back a moment ago', retryAfterMs });
  }
  const held = network === null ? -Infinity : (seats.heldFrom.get(network) ?? 0);
  if (held + wanted.length > rules.seatsPerNetwork) {
    const detail = `at most ${rules.seatsPerNetwork} seats held from a network`;
    return refuse('network-limit', { detail, retryAfterMs: COOL_DOWN_MS });
  }
  const hold = current ?? seats.begin(session, rules);
  seats.take(hold, prices, network);
  return done(holdOf(hold));
}

function extendHold(seats: SeatBooks, rules: SeatRules, step: ExtendStep): Outcome<Hold> {
  const found = changeableHold(seats, step);
  if (!found.ok) return found;
  const hold = found.value;
  if (hold.extensionsLeft === 0) return refuse('extension-limit');
  hold.extensionsLeft -= 1;
  hold.expiresAt = seats.now + rules.holdLifetimeMs;
  seats.announce(hold);
  return done(holdOf(hold));
}

function releaseSeats(seats: SeatBooks, request: ReleaseStep): Outcome<Hold | ReleasedHold> {
  const found = changeableHold(seats, request);
  if (!found.ok) return found;
  const hold = found.value;
  const foreign = request.seats.filter((seat) => !hold.seats.has(seat));
  if (foreign.length > 0) return refuse('seat-unknown', { seats: foreign, detail: 'not in this hold' });
  const released = new Set(request.seats.length > 0 ? request.seats : hold.seats.keys());
  if (released.size < hold.seats.size) {
    seats.free(hold, [...released]);
    return done(holdOf(hold));
  }
  seats.end(hold, 'released');
  const { holdToken, revision } = hold;
  return done({ holdToken, seats: [...released], reason: 'released', revision });
}

function beginCheckout(seats: SeatBooks, request: CheckoutStep): Outcome<Checkout> {
  const found = ownHold(seats, request);
  if (!found.ok) return found;
  const hold = found.value;
  const known = hold.checkouts.get(request.idempotencyKey);
  if (known) {
    if (known.amount !== request.amount) return refuse('idempotency-mismatch');
    if (known.stage === 'new') known.stage = 'repeated';
    const { orderId: id, begunAt } = known;
    // An order that the hold has outlived is settled.
    const isAccepted = known !== hold.checkout || known.stage === 'accepted';
    return done({ hold: { ...holdOf(hold), orderId: id, begunAt, isAccepted }, begunAt, repeated: true });
  }
  if (seats.unsettled.has(request.orderId)) return refuse('idempotency-mismatch');
  if (hold.checkout) return refuse('in-checkout');
  if (hold.checkouts.size >= CHECKOUTS_PER_HOLD_MAX) {
    return refuse('limit-exceeded', { detail: `at most ${CHECKOUTS_PER_HOLD_MAX} payments a hold` });
  }
  const { amount } = holdOf(hold);
  if (amount !== request.amount) return refuse('amount-changed', { detail: `the seats cost ${amount}` });
  const { session, holdToken, idempotencyKey, orderId: id } = request;
  const begunAt = seats.now;
  hold.checkout = { orderId: id, amount, timeLeftMs: hold.expiresAt - begunAt, begunAt, stage: 'new' };
  hold.checkouts.set(idempotencyKey, hold.checkout);
  hold.expiresAt = Math.max(hold.expiresAt, begunAt + request.keepMs);
  seats.unsettled.set(id, {
    ...{ orderId: id, session, holdToken, idempotencyKey, seats: [...hold.seats.keys()], amount, begunAt },
    dueAt: begunAt + CHECKOUT_CARE.handedOverWithinMs,
  });
  seats.announce(hold);
  return done({ hold: { ...holdOf(hold), orderId: id }, begunAt, repeated: false });
}

function acceptCheckout(seats: SeatBooks, { session, orderId: id }: AcceptStep): Outcome<null> {
  postpone(seats, id, CHECKOUT_CARE.settledWithinMs);
  const hold = seats.live(session);
  if (hold?.checkout?.orderId === id && hold.checkout.stage !== 'accepted') {
    hold.checkout.stage = 'accepted';
    seats.announce(hold);
  }
  return done(null);
}

function abandonCheckout(seats: SeatBooks, { session, orderId: id }: AbandonStep): Outcome<null> {
  const hold = seats.live(session);
  if (hold?.checkout?.orderId === id && hold.checkout.stage === 'new') {
    seats.unsettled.delete(id);
    for (const [key, checkout] of hold.checkouts) {
      if (checkout.orderId === id) hold.checkouts.delete(key);
    }
    resume(seats, hold);
  }
  return done(null);
}

/** `SeatStore.overdueCheckouts`, of those in these books. */
export function overdueCheckouts(seats: SeatBooks, most: number): readonly UnsettledCheckout[] {
  const overdue = [...seats.unsettled.values()].filter(({ dueAt }) => dueAt <= seats.now).slice(0, most);
  for (const { orderId: id, session } of overdue) {
    postpone(seats, id, CHECKOUT_CARE.againMs);
    const checkout = seats.holds.get(session)?.checkout;
    if (checkout?.orderId === id && checkout.stage === 'new') checkout.stage = 'repeated';
  }
  return overdue;
}

/** `SeatStore.settle`, one settlement. */
export function settleOrder(seats: SeatBooks, settlement: Settlement): void {
  const { kind, session, order } = settlement;
  const paying = payingHold(seats, settlement);
  seats.unsettled.delete(orderId(order.id));
  if (kind === 'sold') {
    const { changes, losses } = seats.sell(order.seats, session);
    seats.tell({ changes, notice: { kind: 'order', session, order } });
    if (paying) {
      losses.delete(paying);
      seats.end(paying, 'sold', order.seats);
    }
    takeLosses(seats, losses, session);
    return;
  }
  seats.tell({ changes: [], notice: { kind: 'order', session, order } });
  const hold = paying && seats.live(session);
  if (!hold) return;
  if (kind === 'voided') seats.end(hold, 'lost');
  else resume(seats, hold);
}

/** `SeatStore.mend`. */
export function mendSeats(seats: SeatBooks, { sold, unsold, counts }: SeatRepairs): void {
  for (const { session, here, right } of counts) {
    if ((seats.bought.get(session) ?? 0) === here) seats.bought.set(session, right);
  }
  for (const [session, ofBuyer] of Map.groupBy(sold, (one) => one.session)) {
    const bought = ofBuyer.map(({ seat }) => seat);
    const { changes, losses } = seats.sell(bought, session);
    if (changes.length > 0) seats.tell({ changes, notice: null });
    takeLosses(seats, losses, session);
  }
  const freed = unsold.filter((seat) => seats.statuses[seat] === SOLD);
  for (const seat of freed) seats.statuses[seat] = AVAILABLE;
  const changes = freed.map((seat) => ({ seat, status: AVAILABLE }));
  if (changes.length > 0) seats.tell({ changes, notice: null });
}

/** `SeatStore.expire`: ends what ran out among the holds of these books. */
export function expireHolds(seats: SeatBooks): number {
  const over = [...seats.holds.values()].filter((hold) => hold.expiresAt <= seats.now);
  for (const hold of over) seats.end(hold, 'expired');
  return over.length;
}

function postpone(seats: SeatBooks, id: OrderId, byMs: number): void {
  const remembered = seats.unsettled.get(id);
  if (remembered) seats.unsettled.set(id, { ...remembered, dueAt: seats.now + byMs });
}

/** Unfreezes a hold: the buyer has the time again that was left when payment began. */
function resume(seats: SeatBooks, hold: LiveHold): void {
  hold.expiresAt = seats.now + (hold.checkout?.timeLeftMs ?? 0);
  hold.checkout = null;
  seats.announce(hold);
}

/** The hold that an order is paying for, unless it is gone or has moved on to another order. */
function payingHold(seats: SeatBooks, { session, holdToken, order }: Settlement): LiveHold | undefined {
  const hold = seats.holds.get(session);
  return hold?.holdToken === holdToken && hold.checkout?.orderId === order.id ? hold : undefined;
}

/** Goes on with holds some of whose seats the database gave to an order that they were not frozen for. */
function takeLosses(seats: SeatBooks, losses: ReadonlyMap<LiveHold, readonly SeatIndex[]>, buyer: SessionId) {
  for (const [hold, lost] of losses) {
    if (hold.expiresAt <= seats.now) seats.end(hold, 'expired', [...lost, ...hold.seats.keys()]);
    else if (hold.seats.size > 0) seats.announce(hold);
    else seats.end(hold, hold.session === buyer ? 'sold' : 'lost', lost);
  }
}

type OfHold = Pick<ExtendStep, 'session' | 'holdToken'>;

function ownHold(seats: SeatBooks, { session, holdToken }: OfHold): Outcome<LiveHold> {
  const hold = seats.live(session);
  return hold?.holdToken === holdToken ? done(hold) : refuse('hold-ended');
}

function changeableHold(seats: SeatBooks, step: OfHold): Outcome<LiveHold> {
  const found = ownHold(seats, step);
  return found.ok && found.value.checkout ? refuse('in-checkout') : found;
}

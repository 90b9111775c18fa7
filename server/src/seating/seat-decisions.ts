import type { ReleasedHold, Hold } from '../feed/show-feed.ts';
import assert from 'node:assert/strict';
import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';
import { type OrderId, orderId, type SeatIndex, type SessionId } from '../platform/ids.ts';
import { done, type Outcome, type Refusal, refuse } from '../platform/outcome.ts';
import { holdOf, type LiveHold, type SeatBooks } from './seat-books.ts';
import { COOL_DOWN_MS } from './seat-notes.ts';
import type {
  AbandonStep,
  AcceptStep,
  AnswerTo,
  Checkout,
  CheckoutStep,
  ExtendStep,
  HoldStep,
  ReleaseStep,
  SeatStep,
} from './seat-steps.ts';
import {
  CHECKOUT_CARE,
  type SeatRepairs,
  type SeatRules,
  type Settlement,
  type UnsettledCheckout,
} from './seat-store.ts';
import type { SeatChange } from '../feed/show-feed.ts';

// What `SeatStore` promises, decided on books that are read and changed in this process. A store that keeps its seats
// elsewhere reads the part of the books that a step needs, decides here, and writes back what changed.

/** What a request would give its session. */
interface Claim {
  readonly current: LiveHold | undefined;
  /** Of the seats that are not in the current hold. */
  readonly prices: ReadonlyMap<SeatIndex, number>;
}

/**
 * Decides one step of a buyer.
 * @param isAdmitted whether a session may shop at this instant
 * @param now the instant of the step
 */
export function decide<Step extends SeatStep>(
  seats: SeatBooks,
  rules: SeatRules,
  step: Step,
  isAdmitted: (session: SessionId, now: number) => boolean,
  now: number,
): AnswerTo<Step> {
  const answer = (): AnswerTo<SeatStep> => {
    switch (step.kind) {
      case 'hold':
        return holdSeats(seats, rules, step, isAdmitted(step.session, now), now);
      case 'extend':
        return extendHold(seats, rules, step, now);
      case 'release':
        return releaseSeats(seats, step, now);
      case 'checkout':
        return beginCheckout(seats, step, now);
      case 'accept':
        acceptCheckout(seats, step, now);
        return done(null);
      case 'abandon':
        abandonCheckout(seats, step, now);
        return done(null);
    }
  };
  // Each case above answers its own kind; the compiler can't tell which one `Step` is.
  return answer() as AnswerTo<Step>;
}

/** Whether a step of kind `hold` would be accepted; `isAdmitted`: whether its session may shop. Takes nothing. */
export function examineClaim(
  seats: SeatBooks,
  rules: SeatRules,
  request: HoldStep,
  isAdmitted: boolean,
  now: number,
): Outcome<Claim> {
  const { session } = request;
  assert(request.seats.length > 0, 'a hold request names seats');
  assert.equal(request.prices.length, request.seats.length, 'a hold request prices each seat');
  if (!isAdmitted) return refuse('not-admitted');
  const unknown = request.seats.filter((seat) => !(seat >= 0 && seat < rules.seatCount));
  if (unknown.length > 0) return refuse('seat-unknown', { seats: unknown });

  const current = liveHold(seats, seats.ofSession(session), now);
  if (current?.checkout) return refuse('in-checkout');
  const prices = new Map<SeatIndex, number>();
  request.seats.forEach((seat, index) => {
    if (!current?.prices.has(seat)) prices.set(seat, request.prices[index] ?? 0);
  });
  const owned = (current?.prices.size ?? 0) + seats.boughtBy(session);
  if (prices.size > 0 && owned + prices.size > rules.seatsPerBuyer) {
    return refuse('limit-exceeded', { detail: `at most ${rules.seatsPerBuyer} seats a buyer` });
  }
  const taken = [...prices.keys()].filter((seat) => !isFree(seats, seat, now));
  if (taken.length > 0) return refuse('seat-taken', { seats: taken });
  return hoardingRefusal(seats, rules, request, [...prices.keys()], now) ?? done({ current, prices });
}

/** Why seats that are free are not for this buyer; null if they are. */
function hoardingRefusal(
  { notes }: SeatBooks,
  { seatsPerNetwork }: SeatRules,
  taker: HoldStep,
  seats: readonly SeatIndex[],
  now: number,
): Refusal | null {
  const rests = new Map(seats.map((seat) => [seat, notes.restMs(seat, taker, now)]));
  const resting = seats.filter((seat) => (rests.get(seat) ?? 0) > 0);
  if (resting.length > 0) {
    const retryAfterMs = Math.max(...rests.values());
    return refuse('cooling-down', { seats: resting, detail: 'given back a moment ago', retryAfterMs });
  }
  if (taker.network === null || seats.length === 0) return null;
  if (notes.heldFrom(taker.network) + seats.length <= seatsPerNetwork) return null;
  const detail = `at most ${seatsPerNetwork} seats held from a network`;
  return refuse('network-limit', { detail, retryAfterMs: COOL_DOWN_MS });
}

function holdSeats(
  seats: SeatBooks,
  rules: SeatRules,
  request: HoldStep,
  isAdmitted: boolean,
  now: number,
): Outcome<Hold> {
  const claim = examineClaim(seats, rules, request, isAdmitted, now);
  if (!claim.ok) return claim;
  const { current, prices } = claim.value;
  const hold = current ?? seats.begin(request.session, now + rules.holdLifetimeMs, rules.extensionsMax);
  for (const seat of prices.keys()) seats.notes.take(seat, request, now);
  if (prices.size > 0) seats.take(hold, [...prices.keys()], (seat) => prices.get(seat) ?? 0);
  return done(holdOf(hold));
}

function extendHold(seats: SeatBooks, rules: SeatRules, step: ExtendStep, now: number): Outcome<Hold> {
  const found = changeableHold(seats, step, now);
  if (!found.ok) return found;
  const hold = found.value;
  if (hold.extensionsLeft === 0) return refuse('extension-limit');
  hold.extensionsLeft -= 1;
  hold.expiresAt = now + rules.holdLifetimeMs;
  seats.announce(hold);
  return done(holdOf(hold));
}

function releaseSeats(seats: SeatBooks, request: ReleaseStep, now: number): Outcome<Hold | ReleasedHold> {
  const found = changeableHold(seats, request, now);
  if (!found.ok) return found;
  const hold = found.value;
  const foreign = request.seats.filter((seat) => !hold.prices.has(seat));
  if (foreign.length > 0) return refuse('seat-unknown', { seats: foreign, detail: 'not in this hold' });
  const released = new Set(request.seats.length > 0 ? request.seats : hold.prices.keys());
  if (released.size < hold.prices.size) {
    seats.free(hold, [...released]);
    return done(holdOf(hold));
  }
  seats.end(hold, 'released');
  const { holdToken, revision } = hold;
  return done({ holdToken, seats: [...released], reason: 'released', revision });
}

function beginCheckout(seats: SeatBooks, request: CheckoutStep, now: number): Outcome<Checkout> {
  const found = ownHold(seats, request, now);
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
  hold.checkout = { orderId: id, amount, timeLeftMs: hold.expiresAt - now, begunAt: now, stage: 'new' };
  hold.checkouts.set(idempotencyKey, hold.checkout);
  hold.expiresAt = Math.max(hold.expiresAt, now + request.keepMs);
  seats.unsettled.set(id, {
    ...{
      orderId: id,
      session,
      holdToken,
      idempotencyKey,
      seats: [...hold.prices.keys()],
      amount,
      begunAt: now,
    },
    dueAt: now + CHECKOUT_CARE.handedOverWithinMs,
  });
  seats.announce(hold);
  return done({ hold: { ...holdOf(hold), orderId: id }, begunAt: now, repeated: false });
}

function acceptCheckout(seats: SeatBooks, { session, orderId: id }: AcceptStep, now: number): void {
  postpone(seats, id, now + CHECKOUT_CARE.settledWithinMs);
  const hold = liveHold(seats, seats.ofSession(session), now);
  if (hold?.checkout?.orderId !== id || hold.checkout.stage === 'accepted') return;
  hold.checkout.stage = 'accepted';
  seats.announce(hold);
}

/** `SeatStore.overdueCheckouts`, of those in these books. */
export function overdueCheckouts(seats: SeatBooks, most: number, now: number): readonly UnsettledCheckout[] {
  const overdue = [...seats.unsettled.values()].filter(({ dueAt }) => dueAt <= now).slice(0, most);
  for (const { orderId: id, session } of overdue) {
    postpone(seats, id, now + CHECKOUT_CARE.againMs);
    const checkout = seats.ofSession(session)?.checkout;
    if (checkout?.orderId === id && checkout.stage === 'new') checkout.stage = 'repeated';
  }
  return overdue;
}

function abandonCheckout(seats: SeatBooks, { session, orderId: id }: AbandonStep, now: number): void {
  const hold = liveHold(seats, seats.ofSession(session), now);
  if (hold?.checkout?.orderId !== id || hold.checkout.stage !== 'new') return;
  seats.unsettled.delete(id);
  for (const [key, checkout] of hold.checkouts) {
    if (checkout.orderId === id) hold.checkouts.delete(key);
  }
  resume(hold, now);
  seats.announce(hold);
}

/** `SeatStore.settle`, one settlement. */
export function settleOrder(seats: SeatBooks, settlement: Settlement, now: number): void {
  seats.unsettled.delete(orderId(settlement.order.id));
  if (settlement.kind === 'sold') sell(seats, settlement, now);
  else giveBack(seats, settlement, now);
}

/** `SeatStore.mend`. */
export function mendSeats(seats: SeatBooks, { sold, unsold, counts }: SeatRepairs, now: number): void {
  for (const { session, here, right } of counts) {
    if (seats.boughtBy(session) === here) seats.enterBought(session, right);
  }
  for (const [session, ofBuyer] of Map.groupBy(sold, (one) => one.session)) {
    const { changes, losses } = giveTo(
      seats,
      session,
      ofBuyer.map(({ seat }) => seat),
    );
    if (changes.length > 0) seats.tell({ changes, notice: null });
    for (const [hold, lost] of losses) takeLoss(seats, hold, lost, session, now);
  }
  const changes = unsold.flatMap((seat) => seats.unsell(seat));
  if (changes.length > 0) seats.tell({ changes, notice: null });
}

/** `SeatStore.expire`: ends what ran out among the holds of these books. */
export function expireHolds(seats: SeatBooks, now: number): number {
  const over = [...seats.holds()].filter((hold) => hold.expiresAt <= now);
  for (const hold of over) seats.end(hold, 'expired');
  return over.length;
}

function sell(seats: SeatBooks, settlement: Settlement, now: number): void {
  const { session, order } = settlement;
  const paying = payingHold(seats, settlement);
  const { changes, losses } = giveTo(seats, session, order.seats, paying);
  seats.tell({ changes, notice: { kind: 'order', session, order } });
  if (paying) seats.end(paying, 'sold', order.seats);
  for (const [hold, lost] of losses) takeLoss(seats, hold, lost, session, now);
}

/** Marks seats sold, whoever has them; `losses`: what others than the paying hold lost. */
function giveTo(
  seats: SeatBooks,
  session: SessionId,
  sold: readonly SeatIndex[],
  paying?: LiveHold,
): { changes: SeatChange[]; losses: Map<LiveHold, SeatIndex[]> } {
  const losses = new Map<LiveHold, SeatIndex[]>();
  const changes = sold.flatMap((seat) => {
    const { changes: ofSeat, holder } = seats.sell(seat, session);
    if (holder && holder !== paying) losses.set(holder, [...(losses.get(holder) ?? []), seat]);
    return ofSeat;
  });
  return { changes, losses };
}

function giveBack(seats: SeatBooks, settlement: Settlement, now: number): void {
  const { kind, session, order } = settlement;
  seats.tell({ changes: [], notice: { kind: 'order', session, order } });
  const hold = liveHold(seats, payingHold(seats, settlement), now);
  if (!hold) return;
  if (kind === 'voided') {
    seats.end(hold, 'lost');
    return;
  }
  resume(hold, now);
  seats.announce(hold);
}

function postpone(seats: SeatBooks, id: OrderId, dueAt: number): void {
  const remembered = seats.unsettled.get(id);
  if (remembered) seats.unsettled.set(id, { ...remembered, dueAt });
}

/** Unfreezes a hold: the buyer has the time again that was left when payment began. */
function resume(hold: LiveHold, now: number): void {
  hold.expiresAt = now + (hold.checkout?.timeLeftMs ?? 0);
  hold.checkout = null;
}

/** The hold that an order is paying for, unless it is gone or has moved on to another order. */
function payingHold(seats: SeatBooks, { session, holdToken, order }: Settlement): LiveHold | undefined {
  const hold = seats.ofSession(session);
  return hold?.holdToken === holdToken && hold.checkout?.orderId === order.id ? hold : undefined;
}

/** Goes on with a hold some of whose seats the database gave to an order that the hold was not frozen for. */
function takeLoss(
  seats: SeatBooks,
  hold: LiveHold,
  lost: readonly SeatIndex[],
  buyer: SessionId,
  now: number,
): void {
  if (hold.expiresAt <= now) seats.end(hold, 'expired', [...lost, ...hold.prices.keys()]);
  else if (hold.prices.size > 0) seats.announce(hold);
  else seats.end(hold, hold.session === buyer ? 'sold' : 'lost', lost);
}

/** A hold past its deadline is ended in passing: it counts as gone, swept or not [P3]. */
function liveHold(seats: SeatBooks, hold: LiveHold | undefined, now: number): LiveHold | undefined {
  if (!hold || hold.expiresAt > now) return hold;
  seats.end(hold, 'expired');
  return undefined;
}

function isFree(seats: SeatBooks, seat: SeatIndex, now: number): boolean {
  if (seats.statuses[seat] === AVAILABLE) return true;
  const hold = seats.ofSeat(seat);
  return hold !== undefined && liveHold(seats, hold, now) === undefined;
}

function ownHold(
  seats: SeatBooks,
  { session, holdToken }: Pick<ExtendStep, 'session' | 'holdToken'>,
  now: number,
): Outcome<LiveHold> {
  const hold = liveHold(seats, seats.ofSession(session), now);
  return hold?.holdToken === holdToken ? done(hold) : refuse('hold-ended');
}

function changeableHold(seats: SeatBooks, step: ExtendStep | ReleaseStep, now: number): Outcome<LiveHold> {
  const found = ownHold(seats, step, now);
  return found.ok && found.value.checkout ? refuse('in-checkout') : found;
}

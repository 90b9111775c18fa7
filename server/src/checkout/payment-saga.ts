import { type Backoff, backoffMs } from '../platform/retry.ts';
import { type Order, voidReasons } from './order-store.ts';

/** What a payment must know of its order; instants in milliseconds. */
export interface SagaTerms {
  /** Nothing is charged after this instant. */
  readonly payBy: number;
  /** Tries of one call to the payment gateway at most. */
  readonly attemptsMax: number;
  readonly backoff: Backoff;
}

/** A call to the payment gateway; `afterMs` is waited first. */
export interface SagaCall {
  readonly kind: 'authorize' | 'capture';
  readonly attempt: number;
  readonly afterMs: number;
  /** Of the authorization that is captured; empty before. */
  readonly reference: string;
}

/** The saga's end: what is to be written to the database. */
export interface SagaVerdict {
  readonly kind: 'settle';
  readonly status: 'confirmed' | 'declined' | 'voided';
  readonly reason: string;
  readonly reference: string;
}

export type SagaStep = SagaCall | SagaVerdict;

/** What came of a call. `now` in milliseconds, `random` in [0, 1). */
export type SagaAnswer =
  | { readonly kind: 'authorized'; readonly reference: string; readonly now: number }
  | { readonly kind: 'declined'; readonly reason: string }
  | { readonly kind: 'captured' }
  /** Another process gave the order up at the gateway: there is nothing to be had for it. */
  | { readonly kind: 'voided' }
  /** The call timed out or could not be made; whether it had an effect is unknown. */
  | { readonly kind: 'failed'; readonly now: number; readonly random: number };

/** What a final order still asks for outside the database; may be done any number of times. */
export type OutcomeEffect =
  /** Apply the outcome to the live seats, which tells the buyer too. */
  | 'apply-to-seats'
  /** Make sure that nothing is charged. */
  | 'void-payment'
  /** The buyer has what they came for: the admission goes on to the next. */
  | 'finish-visit';

/** UTF-16 units of a reason at most: what protocol and database hold. */
const REASON_LENGTH_MAX = 80;

/**
 * The way of a payment [P2]: authorize, capture, and the verdict. It decides; whoever runs it makes the calls.
 *
 * The verdict is written to the database before a payment is voided, never after: from then on every process reads
 * the same outcome, and no redelivery can charge what another one has given up. Dying between any two steps:
 * - before the verdict is written, the payment log delivers the request again and the saga begins anew; the
 *   gateway recognises the order and answers as before, so nothing is charged twice;
 * - after it, the outbox holds the order until its `outcomeEffects` were seen to happen.
 *
 * A call that fails is tried again with backoff and jitter, up to a number of tries and never past the payment
 * deadline; then the order is voided, and because a capture without an answer may have happened, the void covers
 * captured payments too.
 * @param call rejects where the saga is to be left as it is, for another delivery
 */
export async function runSaga(
  terms: SagaTerms,
  now: number,
  call: (call: SagaCall) => Promise<SagaAnswer>,
): Promise<SagaVerdict> {
  let step = beginSaga(terms, now);
  while (step.kind !== 'settle') step = stepSaga(terms, step, await call(step));
  return step;
}

export function beginSaga(terms: SagaTerms, now: number): SagaStep {
  if (now >= terms.payBy) return verdict('voided', voidReasons.paymentDeadline);
  return { kind: 'authorize', attempt: 1, afterMs: 0, reference: '' };
}

/** The next step after a call's answer; throws on one that the call can't get, which is a fault of the program. */
export function stepSaga(terms: SagaTerms, call: SagaCall, answer: SagaAnswer): SagaStep {
  switch (answer.kind) {
    case 'voided':
      return verdict('voided', voidReasons.paymentFailed);
    case 'failed':
      return tryAgain(terms, call, answer.now, answer.random);
    case 'declined':
      if (call.kind === 'authorize') return verdict('declined', answer.reason);
      break;
    case 'authorized': {
      if (call.kind !== 'authorize') break;
      const { now, reference } = answer;
      if (now >= terms.payBy) return verdict('voided', voidReasons.paymentDeadline, reference);
      return { kind: 'capture', attempt: 1, afterMs: 0, reference };
    }
    case 'captured':
      if (call.kind === 'capture') return verdict('confirmed', '', call.reference);
  }
  throw new Error(`a call to ${call.kind} can't be answered ${answer.kind}`);
}

/** What a final order asks for, whether it was settled just now or a process died since. */
export function outcomeEffects(status: Order['status']): readonly OutcomeEffect[] {
  switch (status) {
    case 'confirmed':
      return ['apply-to-seats', 'finish-visit'];
    case 'declined':
      return ['apply-to-seats'];
    case 'voided':
    case 'refunded':
      return ['apply-to-seats', 'void-payment'];
  }
}

function tryAgain(terms: SagaTerms, call: SagaCall, now: number, random: number): SagaStep {
  const afterMs = backoffMs(terms.backoff, call.attempt, random);
  if (call.attempt < terms.attemptsMax && now + afterMs < terms.payBy) {
    return { ...call, attempt: call.attempt + 1, afterMs };
  }
  return verdict('voided', voidReasons.paymentTimeout, call.reference);
}

/** Also the end of a payment that never gets a saga. */
export function verdict(status: SagaVerdict['status'], reason: string, reference = ''): SagaVerdict {
  // Cut before mending: half a character at the cut is no text that a store could keep.
  return { kind: 'settle', status, reason: reason.slice(0, REASON_LENGTH_MAX).toWellFormed(), reference };
}

import { type Backoff, backoffMs } from '../platform/backoff.ts';
import { voidReasons } from './order-store.ts';

/** What a payment must know of its order; instants in milliseconds. */
export interface SagaTerms {
  /** Nothing is charged after this instant. */
  readonly payBy: number;
  /** Tries of one call to the payment gateway at most. */
  readonly attemptsMax: number;
  readonly backoff: Backoff;
}

export type SagaState =
  | { readonly step: 'authorizing'; readonly attempt: number }
  | { readonly step: 'capturing'; readonly attempt: number; readonly reference: string }
  | { readonly step: 'settling' }
  | { readonly step: 'settled' };

/** What happened. `now` in milliseconds, `random` in [0, 1). */
export type SagaInput =
  | { readonly kind: 'authorized'; readonly reference: string; readonly now: number }
  | { readonly kind: 'declined'; readonly reason: string }
  | { readonly kind: 'captured' }
  /** Another process gave the order up at the gateway: there is nothing to be had for it. */
  | { readonly kind: 'voided' }
  /** The call under way timed out or could not be made; whether it had an effect is unknown. */
  | { readonly kind: 'failed'; readonly now: number; readonly random: number }
  /** The database has spoken: this is the order's outcome, whatever the verdict was. */
  | { readonly kind: 'settled'; readonly status: SettledStatus };

export type SettledStatus = 'confirmed' | 'declined' | 'voided' | 'refunded';

/** What is to be done, in order; `afterMs` is waited first. */
export type SagaEffect =
  | { readonly kind: 'authorize'; readonly afterMs: number }
  | { readonly kind: 'capture'; readonly afterMs: number; readonly reference: string }
  /** Write the verdict to the database. */
  | {
      readonly kind: 'settle';
      readonly status: 'confirmed' | 'declined' | 'voided';
      readonly reason: string;
      readonly reference: string;
    }
  | OutcomeEffect;

/** What a final order still asks for outside the database; may be done any number of times. */
export type OutcomeEffect =
  /** Apply the outcome to the live seats, which tells the buyer too. */
  | { readonly kind: 'apply-to-seats' }
  /** Make sure that nothing is charged. */
  | { readonly kind: 'void-payment' }
  /** The buyer has what they came for: the admission goes on to the next. */
  | { readonly kind: 'finish-visit' };

export interface SagaStep {
  readonly state: SagaState;
  readonly effects: readonly SagaEffect[];
}

/** UTF-16 units of a reason at most: what protocol and database hold. */
const REASON_LENGTH_MAX = 80;

/**
 * The way of a payment [P2]: authorize, capture, settle. It decides; the worker acts.
 *
 * The verdict is written to the database before a payment is voided, never after: from then on every process reads
 * the same outcome, and no redelivery can charge what another one has given up. Dying between any two steps:
 * - before the verdict is written, the payment log delivers the request again and the saga begins anew; the
 *   gateway recognises the order and answers as before, so nothing is charged twice;
 * - after it, the outbox holds the order until its outcome effects were seen to happen.
 *
 * A call that fails is tried again with backoff and jitter, up to a number of tries and never past the payment
 * deadline; then the order is voided, and because a capture without an answer may have happened, the void covers
 * captured payments too.
 */
export function beginSaga(terms: SagaTerms, now: number): SagaStep {
  if (now >= terms.payBy) return settle('voided', voidReasons.paymentDeadline, '');
  return { state: { step: 'authorizing', attempt: 1 }, effects: [{ kind: 'authorize', afterMs: 0 }] };
}

/** The way of a payment that may not be made: nothing is charged. */
export function refuseSaga(reason: string): SagaStep {
  return settle('voided', reason, '');
}

/** The next step after an input; throws on one that the state can't get, which is a fault of the program. */
export function stepSaga(terms: SagaTerms, state: SagaState, input: SagaInput): SagaStep {
  switch (input.kind) {
    case 'authorized':
      if (state.step !== 'authorizing') break;
      return capture(terms, input.reference, input.now);
    case 'declined':
      if (state.step !== 'authorizing') break;
      return settle('declined', input.reason, '');
    case 'captured':
      if (state.step !== 'capturing') break;
      return settle('confirmed', '', state.reference);
    case 'voided':
      if (state.step !== 'authorizing' && state.step !== 'capturing') break;
      return refuseSaga(voidReasons.paymentFailed);
    case 'failed':
      if (state.step !== 'authorizing' && state.step !== 'capturing') break;
      return tryAgain(terms, state, input.now, input.random);
    case 'settled':
      if (state.step !== 'settling') break;
      return { state: { step: 'settled' }, effects: outcomeEffects(input.status) };
  }
  throw new Error(`a payment that is ${state.step} can't be ${input.kind}`);
}

/** What a final order asks for; the outbox relay, which sees only the order, does the same as the worker. */
export function outcomeEffects(status: SettledStatus): readonly OutcomeEffect[] {
  switch (status) {
    case 'confirmed':
      return [{ kind: 'apply-to-seats' }, { kind: 'finish-visit' }];
    case 'declined':
      return [{ kind: 'apply-to-seats' }];
    case 'voided':
    case 'refunded':
      return [{ kind: 'apply-to-seats' }, { kind: 'void-payment' }];
  }
}

function capture(terms: SagaTerms, reference: string, now: number): SagaStep {
  if (now >= terms.payBy) return settle('voided', voidReasons.paymentDeadline, reference);
  return {
    state: { step: 'capturing', attempt: 1, reference },
    effects: [{ kind: 'capture', afterMs: 0, reference }],
  };
}

function tryAgain(
  terms: SagaTerms,
  state: Extract<SagaState, { step: 'authorizing' | 'capturing' }>,
  now: number,
  random: number,
): SagaStep {
  const reference = state.step === 'capturing' ? state.reference : '';
  const afterMs = backoffMs(terms.backoff, state.attempt, random);
  if (state.attempt >= terms.attemptsMax || now + afterMs >= terms.payBy) {
    return settle('voided', voidReasons.paymentTimeout, reference);
  }
  const attempt = state.attempt + 1;
  return state.step === 'capturing'
    ? { state: { ...state, attempt }, effects: [{ kind: 'capture', afterMs, reference }] }
    : { state: { ...state, attempt }, effects: [{ kind: 'authorize', afterMs }] };
}

function settle(status: 'confirmed' | 'declined' | 'voided', reason: string, reference: string): SagaStep {
  // Cut before mending: half a character at the cut is no text that a store could keep.
  const told = reason.slice(0, REASON_LENGTH_MAX).toWellFormed();
  const effect = { kind: 'settle', status, reason: told, reference } as const;
  return { state: { step: 'settling' }, effects: [effect] };
}

import { type Backoff, backoffMs } from '../platform/retry.ts';
import { type Order, type Verdict, voidReasons } from './order-store.ts';

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
export type SagaEnd = Pick<Verdict, 'status' | 'reason' | 'paymentReference'>;

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
): Promise<SagaEnd> {
  if (now >= terms.payBy) return verdict('voided', voidReasons.paymentDeadline);
  const first = await tryCall(terms, 'authorize', '', call);
  if (first.kind === 'declined') return verdict('declined', first.reason);
  if (first.kind !== 'authorized') return unpaid('authorize', first, '');
  const { reference } = first;
  if (first.now >= terms.payBy) return verdict('voided', voidReasons.paymentDeadline, reference);
  const second = await tryCall(terms, 'capture', reference, call);
  return second.kind === 'captured'
    ? verdict('confirmed', '', reference)
    : unpaid('capture', second, reference);
}

/** The end of a payment whose call was not answered, or by another's void; throws on an answer that it can't get. */
function unpaid(kind: SagaCall['kind'], answer: SagaAnswer, reference: string): SagaEnd {
  if (answer.kind === 'voided') return verdict('voided', voidReasons.paymentFailed);
  if (answer.kind === 'failed') return verdict('voided', voidReasons.paymentTimeout, reference);
  throw new Error(`a call to ${kind} can't be answered ${answer.kind}`);
}

/** A call's answer; `failed` where it never came. */
async function tryCall(
  terms: SagaTerms,
  kind: SagaCall['kind'],
  reference: string,
  call: (call: SagaCall) => Promise<SagaAnswer>,
): Promise<SagaAnswer> {
  for (let attempt = 1, afterMs = 0; ; attempt++) {
    const answer = await call({ kind, attempt, afterMs, reference });
    if (answer.kind !== 'failed' || attempt >= terms.attemptsMax) return answer;
    afterMs = backoffMs(terms.backoff, attempt, answer.random);
    if (answer.now + afterMs >= terms.payBy) return answer;
  }
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

/** Also the end of a payment that never gets a saga. */
export function verdict(status: Verdict['status'], reason: string, paymentReference = ''): SagaEnd {
  // Cut before mending: half a character at the cut is no text that a store could keep.
  const text = reason.slice(0, REASON_LENGTH_MAX).toWellFormed();
  return { status, reason: text, paymentReference };
}

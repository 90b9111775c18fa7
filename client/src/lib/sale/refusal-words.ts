import type { Refused } from '@stampede/shared/client/client-view.ts';
import type { Dictionary } from '#lib/i18n/en.ts';

export interface RefusalWords {
  readonly title: string;
  readonly advice: string;
}

const SECOND_MS = 1_000;

/** What a refusal means to a buyer, and what they can do about it. */
export function refusalWords(
  refused: Refused,
  t: Dictionary,
  seatsPerBuyer: number,
  limitText: string,
): RefusalWords {
  const { notice } = t;
  const later = notice.tryAgain(Math.ceil(refused.retryAfterMs / SECOND_MS));
  switch (refused.code) {
    case 'seat-taken':
      return { title: notice.taken, advice: '' };
    case 'limit-exceeded':
      return { title: notice.limit(seatsPerBuyer, limitText), advice: notice.limitAdvice };
    case 'cooling-down':
      return { title: notice.coolingDown, advice: later };
    case 'network-limit':
      return { title: notice.networkLimit, advice: notice.networkLimitAdvice };
    case 'hold-ended':
    case 'hold-not-yours':
      return { title: notice.holdExpired, advice: notice.holdExpiredAdvice };
    case 'in-checkout':
      return { title: notice.inCheckout, advice: '' };
    case 'extension-limit':
      return { title: notice.extensionLimit, advice: notice.extensionAdvice };
    case 'not-admitted':
      return { title: notice.notAdmitted, advice: notice.notAdmittedAdvice };
    case 'sale-paused':
      return { title: notice.paused, advice: notice.pausedAdvice };
    case 'sale-closed':
    case 'sale-not-open':
      return { title: notice.closed, advice: '' };
    case 'sold-out':
      return { title: notice.soldOut, advice: '' };
    case 'queue-full':
      return { title: notice.queueFull, advice: notice.queueFullAdvice };
    case 'network-full':
      return { title: notice.networkFull, advice: notice.networkFullAdvice };
    case 'amount-changed':
      return { title: notice.amountChanged, advice: '' };
    case 'idempotency-mismatch':
      return { title: notice.keyMismatch, advice: '' };
    case 'rate-limited':
      return { title: notice.tooFast, advice: later };
    case 'busy':
    case 'timed-out':
      return { title: notice.busy, advice: later };
    case 'disconnected':
      return { title: notice.disconnected, advice: notice.disconnectedAdvice };
    case 'malformed':
    case 'unknown-message':
    case 'too-large':
    case 'not-authenticated':
    case 'session-stale':
    case 'show-unknown':
    case 'not-entered':
    case 'section-unknown':
    case 'seat-unknown':
      return { title: notice.unexpected, advice: later };
  }
}

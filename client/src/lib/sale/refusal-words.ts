import type { Refused } from '@stampede/shared/client/client-view.ts';
import type { Dictionary } from '#lib/i18n/en.ts';

export interface RefusalWords {
  readonly title: string;
  readonly advice: string;
}

type Notice = Dictionary['notice'];
/** The notices that say the same whatever is refused. */
type Text = { [Name in keyof Notice]: Notice[Name] extends string ? Name : never }[keyof Notice];

/** Those whose words don't tell a number. */
type WithWords = Exclude<Refused['code'], 'limit-exceeded'>;

const SECOND_MS = 1_000;

/** What only a broken page or server makes happen. */
const UNEXPECTED = ['unexpected', 'tryAgain'] as const;

/** What a refusal means to a buyer, and what they can do about it: something of its own, or trying again later. */
const WORDS = {
  'seat-taken': ['taken'],
  'cooling-down': ['coolingDown', 'tryAgain'],
  'network-limit': ['networkLimit', 'networkLimitAdvice'],
  'hold-ended': ['holdExpired', 'holdExpiredAdvice'],
  'hold-not-yours': ['holdExpired', 'holdExpiredAdvice'],
  'in-checkout': ['inCheckout'],
  'extension-limit': ['extensionLimit', 'extensionAdvice'],
  'not-admitted': ['notAdmitted', 'notAdmittedAdvice'],
  'sale-paused': ['paused', 'pausedAdvice'],
  'sale-closed': ['closed'],
  'sale-not-open': ['closed'],
  'sold-out': ['soldOut'],
  'queue-full': ['queueFull', 'queueFullAdvice'],
  'network-full': ['networkFull', 'networkFullAdvice'],
  'amount-changed': ['amountChanged'],
  'idempotency-mismatch': ['keyMismatch'],
  'rate-limited': ['tooFast', 'tryAgain'],
  busy: ['busy', 'tryAgain'],
  'timed-out': ['busy', 'tryAgain'],
  disconnected: ['disconnected', 'disconnectedAdvice'],
  malformed: UNEXPECTED,
  'unknown-message': UNEXPECTED,
  'too-large': UNEXPECTED,
  'not-authenticated': UNEXPECTED,
  'session-stale': UNEXPECTED,
  'show-unknown': UNEXPECTED,
  'not-entered': UNEXPECTED,
  'section-unknown': UNEXPECTED,
  'seat-unknown': UNEXPECTED,
} as const satisfies Record<WithWords, readonly [title: Text, advice?: Text | 'tryAgain']>;

export function refusalWords(
  { code, retryAfterMs }: Refused,
  { notice }: Dictionary,
  seatsPerBuyer: number,
  limitText: string,
): RefusalWords {
  if (code === 'limit-exceeded') {
    return { title: notice.limit(seatsPerBuyer, limitText), advice: notice.limitAdvice };
  }
  const [title, advice] = WORDS[code];
  if (advice === 'tryAgain') {
    return { title: notice[title], advice: notice.tryAgain(Math.ceil(retryAfterMs / SECOND_MS)) };
  }
  return { title: notice[title], advice: advice ? notice[advice] : '' };
}

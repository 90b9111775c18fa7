import { decodeClientFrame, type Unreadable } from '@stampede/shared/protocol/codec.ts';
import { MALFORMED_FRAMES_MAX, OVERHASTY_FRAMES_MAX } from '@stampede/shared/protocol/limits.ts';
import type { ClientMessage } from '@stampede/shared/protocol/messages.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { type Refusal, refuse } from '../platform/outcome.ts';
import type { BuyerRequests } from '../sale/buyer-requests.ts';

/** A person with two busy thumbs sends fewer; a script that sends more waits. */
const MESSAGES_PER_SECOND = 30;
const MESSAGES_BURST = 60;
const MS_PER_SECOND = 1_000;

/** A frame that became no message. */
export interface RefusedFrame {
  readonly ok: false;
  /** 0: the frame's request can't be told; null: it asks for no answer. */
  readonly requestId: number | null;
  readonly refusal: Refusal;
  readonly kind: `frame-${Unreadable['code'] | 'rate-limited'}`;
  /** Whether the socket has had enough of them. */
  readonly isLast: boolean;
}

/** Turns a socket's frames into messages, within what a client may say and how often [P7]. */
export class InboundFrames {
  readonly #requests: Pick<BuyerRequests, 'countOverhasty'>;
  #budget: MessageBudget;
  #malformed = 0;
  #overhasty = 0;

  constructor(clock: Clock, requests: Pick<BuyerRequests, 'countOverhasty'>) {
    this.#requests = requests;
    this.#budget = new MessageBudget(clock);
  }

  /** From now on the two say together what one alone may (PROTOCOL.md rule 7.4). */
  shareBudgetOf(other: InboundFrames): void {
    this.#budget = other.#budget;
  }

  read(
    frame: Uint8Array,
    isBinary: boolean,
  ): { readonly ok: true; readonly message: ClientMessage } | RefusedFrame {
    const retryAfterMs = this.#budget.spend();
    if (!isBinary) return this.#unreadable('malformed', 'frames are binary, not text', 0);
    const decoded = decodeClientFrame(frame);
    if (!decoded.ok) return this.#unreadable(decoded.code, decoded.detail, decoded.requestId);
    return retryAfterMs > 0 ? this.#tooSoon(decoded.message, retryAfterMs) : decoded;
  }

  #unreadable(code: Unreadable['code'], detail: string, requestId: number): RefusedFrame {
    this.#malformed += 1;
    const isLast = this.#malformed >= MALFORMED_FRAMES_MAX;
    return { ok: false, requestId, kind: `frame-${code}`, refusal: refuse(code, { detail }), isLast };
  }

  /** Refusing costs as much as answering, so whoever never slows down is sent away. */
  #tooSoon(message: ClientMessage, retryAfterMs: number): RefusedFrame {
    this.#overhasty += 1;
    this.#requests.countOverhasty(message.type);
    return {
      ok: false,
      requestId: 'requestId' in message ? message.requestId : null,
      kind: 'frame-rate-limited',
      refusal: refuse('rate-limited', { retryAfterMs }),
      isLast: this.#overhasty >= OVERHASTY_FRAMES_MAX,
    };
  }
}

/** What one socket may say: a token bucket in three numbers, because every message pays for the check. */
class MessageBudget {
  readonly #clock: Clock;
  #left = MESSAGES_BURST;
  #countedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.now();
  }

  /** Milliseconds until the next message is welcome; 0 if this one is, and then it is counted. */
  spend(): number {
    const now = this.#clock.now();
    // A machine's clock may be set back; that must not cost the buyer what they had.
    const earned = (Math.max(0, now - this.#countedAt) / MS_PER_SECOND) * MESSAGES_PER_SECOND;
    this.#left = Math.min(MESSAGES_BURST, this.#left + earned);
    this.#countedAt = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / MESSAGES_PER_SECOND) * MS_PER_SECOND);
    this.#left -= 1;
    return 0;
  }
}

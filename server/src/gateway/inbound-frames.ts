import { decodeClientFrame, type Unreadable } from '@stampede/shared/protocol/codec.ts';
import { MALFORMED_FRAMES_MAX, OVERHASTY_FRAMES_MAX } from '@stampede/shared/protocol/limits.ts';
import type { ClientMessage } from '@stampede/shared/protocol/messages.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { type Refusal, refuse } from '../platform/outcome.ts';
import { MessageBudget } from './message-budget.ts';
import { countOverhasty, type RequestCounts } from '../sale/request-metrics.ts';

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
  readonly #counts: RequestCounts;
  #budget: MessageBudget;
  #malformed = 0;
  #overhasty = 0;

  constructor(clock: Clock, counts: RequestCounts) {
    this.#counts = counts;
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
    countOverhasty(this.#counts, message.type);
    return {
      ok: false,
      requestId: 'requestId' in message ? message.requestId : null,
      kind: 'frame-rate-limited',
      refusal: refuse('rate-limited', { retryAfterMs }),
      isLast: this.#overhasty >= OVERHASTY_FRAMES_MAX,
    };
  }
}

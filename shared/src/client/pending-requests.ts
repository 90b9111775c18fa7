import type { Clock } from '../platform/clock.ts';
import type { ClientMessage, ServerMessage, ServerMessageOf } from '../protocol/messages.ts';
import type { Answer, Refused } from './client-view.ts';

type AnswerType = ServerMessage['type'];

/** What a request needs before it may be sent: a session that was welcomed, or a show that was entered. */
export type Readiness = 'session' | 'show';

/** A request as it is planned, before it has a number. */
export interface RequestPlan<Type extends AnswerType> {
  /** Default: the show. */
  readonly needs?: Readiness;
  /** Makes the message; called again with another number if it has to be repeated. */
  readonly build: (requestId: number) => ClientMessage;
  /** The messages that answer it, besides `refused`. */
  readonly answers: readonly Type[];
  /** When the socket drops it is given up as `disconnected`; otherwise it is repeated on the next one. */
  readonly once?: true;
  readonly timeoutMs?: number;
}

export type Settled<Type extends AnswerType> =
  { readonly ok: true; readonly message: ServerMessageOf<Type> } | Refused;

interface Pending {
  readonly plan: RequestPlan<AnswerType>;
  /** Its number on the current socket; null while it waits to be sent. */
  requestId: number | null;
  readonly settle: (settled: Settled<AnswerType>) => void;
  readonly cancelTimeout: () => void;
}

/** How long a caller waits for the answer to a request, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 10_000;

const REQUEST_ID_MAX = 2 ** 32 - 1;

/** Every request from the call until its one answer, across sockets, in the order of the calls. */
export class PendingRequests {
  readonly #pending = new Set<Pending>();
  readonly #clock: Clock;
  readonly #send: (message: ClientMessage) => void;
  #lastRequestId = 0;
  #ready: Readiness | null = null;
  #closed = false;

  constructor(clock: Clock, send: (message: ClientMessage) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** A number that no open request has; for messages whose answer nobody waits for as well. */
  nextRequestId(): number {
    this.#lastRequestId = this.#lastRequestId === REQUEST_ID_MAX ? 1 : this.#lastRequestId + 1;
    return this.#lastRequestId;
  }

  /** What the current socket is ready for; null before there is a session. */
  get ready(): Readiness | null {
    return this.#ready;
  }

  /** Takes a request in and sends it as soon as the socket is ready; `settle` is called exactly once. */
  add<Type extends AnswerType>(plan: RequestPlan<Type>, settle: (settled: Settled<Type>) => void): void {
    if (this.#closed) {
      settle(unanswered('disconnected'));
      return;
    }
    const pending: Pending = {
      plan,
      requestId: null,
      // `settleWith` lets only the planned types of answers get here.
      settle: settle as Pending['settle'],
      cancelTimeout: this.#clock.after(plan.timeoutMs ?? REQUEST_TIMEOUT_MS, () => {
        this.#finish(pending, unanswered('timed-out'));
      }),
    };
    this.#pending.add(pending);
    this.#sendIfReady(pending);
  }

  /** The same, for callers that wait. */
  request<Type extends AnswerType>(plan: RequestPlan<Type>): Promise<Settled<Type>> {
    return new Promise((resolve) => this.add(plan, resolve));
  }

  becomeReady(ready: Readiness): void {
    this.#ready = ready;
    for (const pending of this.#pending) this.#sendIfReady(pending);
  }

  /**
   * Settles the request that this message answers, if any still waits for it. False if the message is no answer
   * to such a request, which only a broken server sends.
   */
  settleWith(requestId: number, message: ServerMessage): boolean {
    const pending = this.#pending.values().find((one) => one.requestId === requestId);
    if (!pending) return true;
    if (message.type === 'refused') {
      const { code, seats, retryAfterMs, detail } = message;
      this.#finish(pending, { ok: false, code, seats, retryAfterMs, detail });
      return true;
    }
    if (!pending.plan.answers.includes(message.type)) return false;
    this.#finish(pending, { ok: true, message });
    return true;
  }

  /** The socket is gone: what may be repeated waits for the next one. */
  dropped(): void {
    this.#ready = null;
    for (const pending of [...this.#pending]) {
      pending.requestId = null;
      if (pending.plan.once) this.#finish(pending, unanswered('disconnected'));
    }
  }

  /** Gives up every request. */
  abandon(): void {
    for (const pending of [...this.#pending]) this.#finish(pending, unanswered('disconnected'));
  }

  /** There will be no other socket. */
  close(): void {
    this.#closed = true;
    this.abandon();
  }

  #sendIfReady(pending: Pending): void {
    if (pending.requestId !== null || this.#ready === null) return;
    if (pending.plan.needs !== 'session' && this.#ready === 'session') return;
    pending.requestId = this.nextRequestId();
    this.#send(pending.plan.build(pending.requestId));
  }

  #finish(pending: Pending, settled: Settled<AnswerType>): void {
    if (!this.#pending.delete(pending)) return;
    pending.cancelTimeout();
    pending.settle(settled);
  }
}

/** Whether trying again soon makes sense by itself. */
export function isPassing(code: Refused['code']): boolean {
  return code === 'busy' || code === 'rate-limited' || code === 'timed-out';
}

/** Whether a request was done, for those who read what was answered in the view. */
export function plain(settled: Settled<ServerMessage['type']>): Answer {
  return settled.ok ? { ok: true } : settled;
}

/** A request that got no answer: its outcome is unknown, or it was never sent. */
export function unanswered(code: Refused['code'], detail = ''): Refused {
  return { ok: false, code, seats: [], retryAfterMs: 0, detail };
}

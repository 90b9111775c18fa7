import type { Clock } from '../platform/clock.ts';
import { UINT32_MAX } from '../protocol/fields.ts';
import type { ClientMessageOf, ServerMessage, ServerMessageOf } from '../protocol/messages.ts';
import type { Answer, Refused } from './client-view.ts';

type AnswerType = ServerMessage['type'];

/** What a request needs before it may be sent: a session that was welcomed, or a show that was entered. */
export type Readiness = 'session' | 'show';

interface RequestRules {
  readonly needs: Readiness;
  /** The messages that answer it, besides `refused`. */
  readonly answers: readonly AnswerType[];
  /** When the socket drops it is given up as `disconnected`; otherwise it is repeated on the next one. */
  readonly once?: true;
  readonly timeoutMs?: number;
}

/** How long a caller waits for the answer to a request, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** A checkout is safe to repeat, so it is given the time to outlast a server. */
export const CHECKOUT_TIMEOUT_MS = 60_000;

const REQUESTS = {
  enter: { needs: 'session', answers: ['entered'] },
  orders: { needs: 'session', answers: ['orders'] },
  join: { needs: 'show', answers: ['waiting', 'admitted'] },
  leave: { needs: 'show', answers: ['outside'] },
  watch: { needs: 'show', answers: ['done'] },
  hold: { needs: 'show', answers: ['hold'], once: true },
  extend: { needs: 'show', answers: ['hold'], once: true },
  release: { needs: 'show', answers: ['hold', 'hold-ended'], once: true },
  checkout: { needs: 'show', answers: ['order'], timeoutMs: CHECKOUT_TIMEOUT_MS },
} as const satisfies Readonly<Record<string, RequestRules>>;

export type RequestType = keyof typeof REQUESTS;

/** A request without its number. */
export type RequestFields<Type extends RequestType> = Omit<ClientMessageOf<Type>, 'type' | 'requestId'>;

export type Settled<Type extends RequestType> =
  | { readonly ok: true; readonly message: ServerMessageOf<(typeof REQUESTS)[Type]['answers'][number]> }
  | Refused;

interface Pending {
  readonly rules: RequestRules;
  readonly send: (requestId: number) => void;
  /** Its number on the current socket; null while it waits to be sent. */
  requestId: number | null;
  readonly settle: (settled: Settled<RequestType>) => void;
  readonly cancelTimeout: () => void;
}

/** Every request from the call until its one answer, across sockets, in the order of the calls. */
export class PendingRequests {
  readonly #pending = new Set<Pending>();
  readonly #clock: Clock;
  readonly #send: (message: ClientMessageOf<RequestType>) => void;
  #lastRequestId = 0;
  #ready: Readiness | null = null;
  #closed = false;

  constructor(clock: Clock, send: (message: ClientMessageOf<RequestType>) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** A number that no open request has; for messages whose answer nobody waits for as well. */
  nextRequestId(): number {
    this.#lastRequestId = this.#lastRequestId === UINT32_MAX ? 1 : this.#lastRequestId + 1;
    return this.#lastRequestId;
  }

  /** What the current socket is ready for; null before there is a session. */
  get ready(): Readiness | null {
    return this.#ready;
  }

  /**
   * Takes a request in, sends it as soon as the socket is ready, and answers once. `fields` is asked again if it has to
   * be repeated; `heard` is told of the answer before anything that the server said after it.
   */
  request<Type extends RequestType>(
    type: Type,
    fields: () => RequestFields<Type>,
    heard?: (settled: Settled<Type>) => void,
  ): Promise<Settled<Type>> {
    return new Promise((resolve) => {
      const settle = (settled: Settled<Type>) => {
        heard?.(settled);
        resolve(settled);
      };
      if (this.#closed) {
        settle(unanswered('disconnected'));
        return;
      }
      const rules: RequestRules = REQUESTS[type];
      const pending: Pending = {
        rules,
        // The fields are those of the type.
        send: (requestId) => this.#send({ type, requestId, ...fields() } as ClientMessageOf<Type>),
        requestId: null,
        // `settleWith` lets only the type's answers get here.
        settle: settle as Pending['settle'],
        cancelTimeout: this.#clock.after(rules.timeoutMs ?? REQUEST_TIMEOUT_MS, () => {
          this.#finish(pending, unanswered('timed-out'));
        }),
      };
      this.#pending.add(pending);
      this.#sendIfReady(pending);
    });
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
    if (!pending.rules.answers.includes(message.type)) return false;
    // One of those that answer it.
    this.#finish(pending, { ok: true, message } as Settled<RequestType>);
    return true;
  }

  /** The socket is gone: what may be repeated waits for the next one. */
  dropped(): void {
    this.#ready = null;
    for (const pending of [...this.#pending]) {
      pending.requestId = null;
      if (pending.rules.once) this.#finish(pending, unanswered('disconnected'));
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
    if (pending.rules.needs === 'show' && this.#ready === 'session') return;
    pending.requestId = this.nextRequestId();
    pending.send(pending.requestId);
  }

  #finish(pending: Pending, settled: Settled<RequestType>): void {
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
export function plain(settled: Settled<RequestType>): Answer {
  return settled.ok ? { ok: true } : settled;
}

/** A request that got no answer: its outcome is unknown, or it was never sent. */
export function unanswered(code: Refused['code'], detail = ''): Refused {
  return { ok: false, code, seats: [], retryAfterMs: 0, detail };
}

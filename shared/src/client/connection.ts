import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { type CloseReason, closeReasonOf, mayReconnect } from '../protocol/codes.ts';
import { decodeServerFrame, encodeClientMessage } from '../protocol/codec.ts';
import {
  PING_ANSWER_MS,
  SILENCE_BEFORE_PING_MS,
  SILENCE_IN_VIEW_MS,
  SUBPROTOCOL,
} from '../protocol/limits.ts';
import type { ClientMessage, ServerMessage } from '../protocol/messages.ts';
import type { ClientSocket, OpenSocket } from './client-socket.ts';
import type { Connection as ConnectionView } from './client-view.ts';
import { reconnectDelay, STEADY_AFTER_MS } from './reconnect-delay.ts';

/** From the first byte to `welcome`; a network that takes longer is tried anew. */
export const WELCOME_TIMEOUT_MS = 10_000;

/**
 * What the surroundings know of the network before a socket does: it seems `lost`, or it may be `back`, as after waking
 * or leaving a tunnel. No proof of anything, but reason enough to ask.
 */
export type NetworkHint = 'lost' | 'back';

/** Calls `heard` with each hint, until the returned function is called. */
export type NetworkHints = (heard: (hint: NetworkHint) => void) => () => void;

type Cancel = () => void;
type OpenState = Extract<State, { readonly name: 'open' }>;

/** Each state has what only it needs; leaving a state calls off its timer and lets go of its socket. */
type State =
  | { readonly name: 'idle' }
  | { readonly name: 'opening'; readonly socket: ClientSocket; readonly cancel: Cancel }
  | {
      readonly name: 'open';
      readonly socket: ClientSocket;
      readonly openedAt: number;
      lastHeardAt: number;
      /** The question that nothing has been heard since, and how long the socket is given for it. */
      asked: { at: number; readonly patienceMs: number } | null;
      cancel: Cancel;
      cancelMove: Cancel;
    }
  | { readonly name: 'waiting'; readonly cancel: Cancel }
  | { readonly name: 'renewing' }
  | { readonly name: 'stopped'; readonly reason: CloseReason | 'by-user' };

export interface ConnectionOptions {
  readonly url: string;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when the server no longer takes our session; absent: then the connection stops. */
  readonly renewSession: (() => Promise<void>) | undefined;
  readonly hints: NetworkHints;
}

export interface ConnectionEvents {
  changed(view: ConnectionView): void;
  /** The socket is open and nothing was said on it yet. */
  opened(): void;
  received(message: ServerMessage): void;
  /** The server is to be asked whether it is there: send a ping. */
  ask(): void;
  /** The socket is gone; another one follows unless the connection stopped. */
  dropped(): void;
}

/**
 * One WebSocket session after another, from `start` to `stop`: opens, notices silence and nonsense, waits with
 * jitter and opens again. What is said on it is not its affair.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  #state: State = { name: 'idle' };
  #view: ConnectionView = { state: 'connecting' };
  /** Losses in a row, up to a steady connection. */
  #attempt = 0;
  #seatsInView = false;
  #stopHints: Cancel = noop;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
  }

  start(): void {
    if (this.#state.name !== 'idle') return;
    this.#stopHints = this.#options.hints((hint) => this.#hinted(hint));
    this.#open();
  }

  /** Ends for good. */
  stop(reason: CloseReason | 'by-user' = 'by-user'): void {
    if (this.#state.name === 'stopped') return;
    this.#stopHints();
    this.#leave({ name: 'stopped', reason });
    this.#show({ state: 'stopped', reason });
  }

  /** Sends on the open socket; without one the message is gone. */
  send(message: ClientMessage): void {
    if (this.#state.name === 'open' || this.#state.name === 'opening') {
      this.#state.socket.send(encodeClientMessage(message));
    }
  }

  /** The server took our session. */
  welcomed(): void {
    if (this.#state.name !== 'opening') return;
    const { socket, cancel } = this.#state;
    cancel();
    const now = this.#options.clock.now();
    const heard = { lastHeardAt: now, asked: null };
    this.#state = { name: 'open', socket, openedAt: now, ...heard, cancel: noop, cancelMove: noop };
    this.#listen();
    this.#show({ state: 'open' });
  }

  /** Whether somebody looks at live seats: then silence is noticed, and told, much sooner. */
  lookAtSeats(looking: boolean): void {
    if (this.#seatsInView === looking) return;
    this.#seatsInView = looking;
    this.#listen();
  }

  /** The server is about to close: reconnect at a random moment of the next `spreadMs` milliseconds. */
  moveWithin(spreadMs: number): void {
    const state = this.#state;
    if (state.name !== 'open') return;
    state.cancelMove();
    state.cancelMove = this.#options.clock.after(this.#options.random() * spreadMs, () => {
      this.reopen();
    });
  }

  /** Leaves the socket for another one at once. */
  reopen(): void {
    if (this.#state.name !== 'open' && this.#state.name !== 'opening') return;
    this.#attempt = 0;
    this.#leave({ name: 'idle' });
    this.#open();
    this.#show({ state: 'connecting' });
  }

  /** Leaves a socket that no longer makes sense for another one, after a while. */
  drop(): void {
    if (this.#state.name === 'stopped') return;
    const { clock, random } = this.#options;
    const steady = this.#state.name === 'open' && clock.now() - this.#state.openedAt >= STEADY_AFTER_MS;
    this.#attempt = steady ? 1 : this.#attempt + 1;
    const delay = reconnectDelay(this.#attempt, random);
    this.#leave({ name: 'waiting', cancel: clock.after(delay, () => this.#open()) });
    this.#show({ state: 'reconnecting', attempt: this.#attempt, nextAttemptAt: clock.now() + delay });
  }

  /** The server doesn't take our session: get another one and come back, or stop. */
  sessionRefused(reason: 'session-stale' | 'authentication-timeout'): void {
    const { renewSession, clock } = this.#options;
    if (this.#state.name === 'stopped') return;
    if (!renewSession) {
      this.stop(reason);
      return;
    }
    const renewing: State = { name: 'renewing' };
    this.#leave(renewing);
    this.#show({ state: 'reconnecting', attempt: this.#attempt + 1, nextAttemptAt: clock.now() });
    renewSession().then(
      () => {
        if (this.#state === renewing) this.drop();
      },
      () => {
        if (this.#state === renewing) this.stop(reason);
      },
    );
  }

  #open(): void {
    const { url, openSocket, clock } = this.#options;
    const isCurrent = () => 'socket' in this.#state && this.#state.socket === socket;
    const socket = openSocket(url, SUBPROTOCOL, {
      opened: () => isCurrent() && this.#events.opened(),
      received: (frame) => isCurrent() && this.#received(frame),
      closed: (code) => isCurrent() && this.#closed(code),
    });
    this.#state = {
      name: 'opening',
      socket,
      cancel: clock.after(WELCOME_TIMEOUT_MS, () => this.drop()),
    };
  }

  #received(frame: Uint8Array): void {
    const decoded = decodeServerFrame(frame);
    if (!decoded.ok) {
      this.drop();
      return;
    }
    if (this.#state.name === 'open') {
      this.#state.lastHeardAt = this.#options.clock.now();
      this.#state.asked = null;
      if (this.#view.state === 'silent') {
        this.#listen();
        this.#show({ state: 'open' });
      }
    }
    this.#events.received(decoded.message);
  }

  #closed(code: number): void {
    if (mayReconnect(code)) {
      this.drop();
      return;
    }
    const reason = closeReasonOf(code) ?? 'protocol-violation';
    if (reason === 'session-stale' || reason === 'authentication-timeout') this.sessionRefused(reason);
    else this.stop(reason);
  }

  /** Asks after silence, says so when no answer comes, and leaves the socket when its time is over. */
  #listen(): void {
    const state = this.#state;
    if (state.name !== 'open') return;
    state.cancel();
    const now = this.#options.clock.now();
    // In the future: the clock was set back. Counted from here on, or a dead socket would be kept for as long.
    state.lastHeardAt = Math.min(state.lastHeardAt, now);
    if (!state.asked) {
      const silenceMs = this.#seatsInView ? SILENCE_IN_VIEW_MS : SILENCE_BEFORE_PING_MS;
      const leftMs = silenceMs - (now - state.lastHeardAt);
      if (leftMs > 0) this.#listenAfter(state, leftMs);
      else this.#ask(state, SILENCE_BEFORE_PING_MS);
      return;
    }
    state.asked.at = Math.min(state.asked.at, now);
    const waitedMs = now - state.asked.at;
    const patienceMs = state.asked.patienceMs;
    if (waitedMs >= patienceMs) {
      this.drop();
      return;
    }
    const toldAfterMs = this.#seatsInView ? PING_ANSWER_MS : patienceMs;
    this.#listenAfter(state, (waitedMs < toldAfterMs ? toldAfterMs : patienceMs) - waitedMs);
    if (waitedMs >= toldAfterMs && this.#view.state === 'open') this.#show({ state: 'silent' });
  }

  #listenAfter(state: OpenState, delayMs: number): void {
    state.cancel = this.#options.clock.after(delayMs, () => this.#listen());
  }

  #ask(state: OpenState, patienceMs: number): void {
    state.asked = { at: this.#options.clock.now(), patienceMs };
    this.#events.ask();
    this.#listen();
  }

  #hinted(hint: NetworkHint): void {
    const state = this.#state;
    // Asked because of a hint before, it is not given more time by the next one.
    if (state.name === 'open' && state.asked?.patienceMs !== PING_ANSWER_MS) this.#ask(state, PING_ANSWER_MS);
    if (state.name !== 'waiting' || hint !== 'back') return;
    state.cancel();
    this.#open();
  }

  #leave(next: State): void {
    const left = this.#state;
    this.#state = next;
    if ('cancel' in left) left.cancel();
    if ('cancelMove' in left) left.cancelMove();
    if ('socket' in left) {
      left.socket.close();
      this.#events.dropped();
    }
  }

  #show(view: ConnectionView): void {
    this.#view = view;
    this.#events.changed(view);
  }
}

function noop(): void {
  // Nothing to call off yet.
}

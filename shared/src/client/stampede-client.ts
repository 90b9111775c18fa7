import { type Clock, systemClock } from '../platform/clock.ts';
import { type Random, systemRandom } from '../platform/random.ts';
import { SEATS_PER_REQUEST_MAX, SECTIONS_WATCHED_MAX } from '../protocol/limits.ts';
import type { ClientMessage, OrderMessage, ServerMessage, ServerMessageOf } from '../protocol/messages.ts';
import { type OpenSocket, openWebSocket } from './client-socket.ts';
import type { Answer, ClientChange, ClientView, HoldView, Refused } from './client-view.ts';
import { Connection } from './connection.ts';
import { viewOf } from './current-view.ts';
import {
  isPassing,
  PendingRequests,
  plain,
  REQUEST_TIMEOUT_MS,
  type RequestPlan,
  type Settled,
  unanswered,
} from './pending-requests.ts';
import type { NetworkHints } from './network-hints.ts';
import { passingShelf, PlaceReceipts, type ReceiptShelf } from './place-receipts.ts';
import { ServerTime } from './server-time.ts';
import { holdViewOf, ShowState } from './show-state.ts';
import { Visit } from './visit.ts';
import { type FeedOutcome, WatchedSections } from './watched-sections.ts';

export type * from './client-view.ts';
export type { ClientSocket, OpenSocket, SocketEvents } from './client-socket.ts';

export interface ClientOptions {
  /** `ws(s)://host/socket`. */
  readonly url: string;
  /** Absent in browsers: there the cookie authenticates. */
  readonly bearer?: string;
  /** Default: the platform's WebSocket. */
  readonly openSocket?: OpenSocket;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Called when the server no longer takes the session; returns a fresh bearer, or undefined if the cookie was renewed. */
  readonly renewSession?: () => Promise<string | undefined>;
  /** Default: there are none. */
  readonly hints?: NetworkHints;
  /** Default: as long as the client lives. */
  readonly receipts?: ReceiptShelf;
}

/** A checkout is safe to repeat, so it is given the time to outlast a server. */
export const CHECKOUT_TIMEOUT_MS = 60_000;

/**
 * One buyer's session with the server, from the waiting room to the ticket. It keeps the connection alive, enters
 * the show again after each loss, resumes the watched sections without a gap, and shows all of it in `view`.
 */
export class StampedeClient {
  readonly view: ClientView;
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #pending: PendingRequests;
  readonly #visit: Visit;
  readonly #receipts: PlaceReceipts;
  readonly #sections = new WatchedSections();
  readonly #show: ShowState;
  readonly #time = new ServerTime();
  readonly #listeners = new Set<(change: ClientChange) => void>();
  #bearer: string | undefined;
  #authenticateId = 0;
  /** A repeated checkout must name the hold it began with, also when that hold has become a sale. */
  #intent: { readonly idempotencyKey: string; readonly holdToken: number } | null = null;

  constructor(options: ClientOptions) {
    const {
      url,
      bearer,
      openSocket = openWebSocket,
      renewSession,
      hints = noHints,
      receipts = passingShelf(),
    } = options;
    this.#clock = options.clock ?? systemClock;
    const clock = this.#clock;
    const random = options.random ?? systemRandom;
    this.#bearer = bearer;
    this.#show = new ShowState((change) => {
      this.#emit(change);
    });
    const renew = renewSession && (() => this.#renew(renewSession));
    this.#connection = new Connection(
      { url, openSocket, clock, random, renewSession: renew, hints },
      {
        changed: () => {
          this.#connectionChanged();
        },
        opened: () => {
          this.#opened();
        },
        received: (message) => {
          this.#receive(message);
        },
        ask: () => {
          this.#connection.send({ type: 'ping', requestId: this.#pending.nextRequestId() });
        },
        dropped: () => {
          this.#dropped();
        },
      },
    );
    const send = (message: ClientMessage): void => {
      this.#connection.send(message);
    };
    const pending = new PendingRequests(clock, send);
    this.#pending = pending;
    this.#visit = new Visit({ clock, random, pending, show: this.#show, sections: this.#sections, send });
    const [visit, state] = [this.#visit, this.#show];
    this.#receipts = new PlaceReceipts({ shelf: receipts, clock, visit, state, join: () => this.join() });
    this.view = viewOf(this.#connection, this.#time, this.#show, this.#sections);
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onChange(listener: (change: ClientChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(): void {
    this.#connection.start();
  }

  /** Ends for good: what waits for an answer is told `disconnected`. */
  stop(): void {
    this.#connection.stop();
  }

  /** Whether somebody looks at live seats: a silent connection is then told within 3 s (rule 8.5). */
  lookAtSeats(looking: boolean): void {
    this.#connection.lookAtSeats(looking);
  }

  /**
   * Visits a show, and again after each reconnect. `layout` tells how its seats lie in sections. Another show than
   * before gets another socket, because pushes don't say which show they are about.
   */
  enter(
    show: number,
    layout: { readonly sections: readonly { readonly seatCount: number }[] },
  ): Promise<Answer> {
    const before = this.#visit.show;
    if (before !== show) {
      this.#visit.begin(
        show,
        layout.sections.map((section) => section.seatCount),
      );
      if (before !== null) {
        this.#pending.abandon();
        this.#show.forget();
        this.#connection.reopen();
      }
    }
    return new Promise((resolve) => {
      this.#visit.enter((settled) => {
        resolve(plain(settled));
      });
    });
  }

  /** Takes a place in the waiting room, or finds the one this session has. */
  async join(): Promise<Answer> {
    return plain(
      await this.#request({
        needs: 'show',
        build: (requestId) => ({ type: 'join', requestId, receipt: this.#receipts.own }),
        answers: ['waiting', 'admitted'],
        onDrop: 'repeat',
        timeoutMs: REQUEST_TIMEOUT_MS,
      }),
    );
  }

  /** Gives the place or the admission up. */
  async leave(): Promise<Answer> {
    return plain(
      await this.#request({
        needs: 'show',
        build: (requestId) => ({ type: 'leave', requestId }),
        answers: ['outside'],
        onDrop: 'repeat',
        timeoutMs: REQUEST_TIMEOUT_MS,
      }),
    );
  }

  /** Watches these sections and no others; answered when their seats are in the view. */
  watch(sections: readonly number[]): Promise<Answer> {
    if (sections.length > SECTIONS_WATCHED_MAX) {
      return Promise.resolve(unanswered('limit-exceeded', `at most ${SECTIONS_WATCHED_MAX} sections`));
    }
    this.#sections.replace(sections);
    return new Promise((resolve) => {
      this.#visit.watch((settled) => {
        resolve(plain(settled));
      });
    });
  }

  /** Adds seats, as indexes in the show, to the hold. */
  async hold(seats: readonly number[]): Promise<Answer<{ readonly hold: HoldView }>> {
    if (seats.length > SEATS_PER_REQUEST_MAX) {
      return unanswered('limit-exceeded', `at most ${SEATS_PER_REQUEST_MAX} seats`);
    }
    const settled = await this.#requestSeats((requestId) => ({ type: 'hold', requestId, seats }), ['hold']);
    return settled.ok ? { ok: true, hold: holdViewOf(settled.message) } : settled;
  }

  /** Moves the deadline of the hold. */
  async extend(): Promise<Answer> {
    const { hold } = this.#show;
    if (!hold) return NO_HOLD;
    const { holdToken } = hold;
    return plain(
      await this.#requestSeats((requestId) => ({ type: 'extend', requestId, holdToken }), ['hold']),
    );
  }

  /** Gives seats of the hold back; without seats the whole hold. */
  async release(seats: readonly number[] = []): Promise<Answer> {
    const { hold } = this.#show;
    if (!hold) return NO_HOLD;
    const { holdToken } = hold;
    return plain(
      await this.#requestSeats(
        (requestId) => ({ type: 'release', requestId, holdToken, seats }),
        ['hold', 'hold-ended'],
      ),
    );
  }

  /**
   * Pays for the held seats. Repeated across reconnects until answered; a caller whose wait timed out calls again
   * with the same key and gets the same order.
   */
  async checkout(intent: {
    readonly idempotencyKey: string;
    readonly amount: number;
  }): Promise<Answer<{ readonly order: OrderMessage }>> {
    const { idempotencyKey, amount } = intent;
    if (this.#intent?.idempotencyKey !== idempotencyKey) {
      if (!this.#show.hold) return NO_HOLD;
      this.#intent = { idempotencyKey, holdToken: this.#show.hold.holdToken };
    }
    const { holdToken } = this.#intent;
    const settled = await this.#request({
      needs: 'show',
      build: (requestId) => ({ type: 'checkout', requestId, holdToken, idempotencyKey, amount }),
      answers: ['order'],
      onDrop: 'repeat',
      timeoutMs: CHECKOUT_TIMEOUT_MS,
    });
    return settled.ok ? { ok: true, order: settled.message.order } : settled;
  }

  /** The session's latest orders of any show; they appear in the view too. */
  async listOrders(): Promise<Answer<{ readonly orders: readonly OrderMessage[] }>> {
    const settled = await this.#request({
      needs: 'session',
      build: (requestId) => ({ type: 'orders', requestId }),
      answers: ['orders'],
      onDrop: 'repeat',
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
    return settled.ok ? { ok: true, orders: settled.message.orders } : settled;
  }

  /** Requests that are not safe to repeat: nobody is told later of a seat that they clicked long ago. */
  #requestSeats<Type extends 'hold' | 'hold-ended'>(
    build: RequestPlan<Type>['build'],
    answers: readonly Type[],
  ): Promise<Settled<Type>> {
    if (this.#connection.view.state === 'reconnecting') return Promise.resolve(unanswered('disconnected'));
    return this.#request({ needs: 'show', build, answers, onDrop: 'give-up', timeoutMs: REQUEST_TIMEOUT_MS });
  }

  #request<Type extends ServerMessage['type']>(plan: RequestPlan<Type>): Promise<Settled<Type>> {
    return new Promise((resolve) => {
      this.#pending.add(plan, resolve);
    });
  }

  async #renew(renewSession: () => Promise<string | undefined>): Promise<void> {
    this.#bearer = await renewSession();
    this.#show.forgetBuyer();
  }

  #opened(): void {
    if (this.#bearer === undefined) return;
    this.#authenticateId = this.#pending.nextRequestId();
    this.#connection.send({ type: 'authenticate', requestId: this.#authenticateId, bearer: this.#bearer });
  }

  #dropped(): void {
    this.#authenticateId = 0;
    this.#time.reset();
    this.#visit.dropped();
    this.#pending.dropped();
  }

  #connectionChanged(): void {
    if (this.#connection.view.state === 'stopped') this.#pending.close();
    this.#emit({ kind: 'connection' });
  }

  /** Takes in what the server says; an answer is taken in like a push and then settles its request as well. */
  #receive(message: ServerMessage): void {
    if ('now' in message) this.#time.sample(message.now, this.#clock.now());
    this.#apply(message);
    if (!('requestId' in message) || message.requestId === 0) return;
    if (message.type === 'refused' && message.requestId === this.#authenticateId) {
      if (isPassing(message.code)) this.#connection.drop();
      else this.#connection.sessionRefused('session-stale');
    } else if (!this.#pending.settleWith(message.requestId, message)) {
      this.#connection.drop();
    }
  }

  #apply(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#connection.welcomed();
        this.#visit.welcomed();
        break;
      case 'entered':
        this.#visit.entered(message);
        break;
      case 'phase':
        this.#show.applyPhase(message);
        break;
      case 'waiting':
      case 'admitted':
      case 'outside':
        this.#show.applyStanding(message);
        if (message.type === 'outside') this.#receipts.hearOutside(message.reason);
        break;
      case 'place':
        this.#receipts.keep(message.receipt);
        break;
      case 'snapshot':
        this.#applySeats(message, this.#sections.applySnapshot(message));
        break;
      case 'delta':
        this.#applySeats(message, this.#sections.applyDelta(message));
        break;
      case 'summary':
        if (!this.#show.applySummary(message, this.#sections.sectionCount)) this.#connection.drop();
        break;
      case 'hold':
        this.#show.applyHold(message);
        break;
      case 'hold-ended':
        this.#show.applyHoldEnded(message);
        break;
      case 'order':
        this.#show.applyOrder(message.order);
        break;
      case 'orders':
        for (const order of message.orders) this.#show.applyOrder(order);
        break;
      case 'moving':
        this.#connection.moveWithin(message.spreadMs);
        break;
      case 'refused':
      case 'done':
      case 'pong':
        // They only settle their request.
        break;
    }
  }

  #applySeats(message: ServerMessageOf<'snapshot' | 'delta'>, outcome: FeedOutcome): void {
    switch (outcome.kind) {
      case 'applied':
        if (message.type === 'snapshot') this.#show.applyEpoch(message.epoch);
        this.#emit({ kind: 'seats', section: message.section, changes: outcome.changes });
        break;
      case 'gap':
        this.#visit.watchAgain();
        break;
      case 'broken':
        this.#connection.drop();
        break;
      case 'ignored':
        break;
    }
  }

  #emit(change: ClientChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const noHints: NetworkHints = () => () => undefined;

const NO_HOLD: Refused = unanswered('hold-ended', 'there is no hold');

import { type Clock, systemClock } from '../platform/clock.ts';
import { type Random, systemRandom } from '../platform/random.ts';
import { SEATS_PER_REQUEST_MAX, SECTIONS_WATCHED_MAX } from '../protocol/limits.ts';
import type { ClientMessage, OrderMessage, ServerMessage, ServerMessageOf } from '../protocol/messages.ts';
import { type OpenSocket, openWebSocket } from './client-socket.ts';
import type { Answer, ClientChange, ClientView, HoldView, Refused } from './client-view.ts';
import { Connection, type NetworkHints } from './connection.ts';
import { CurrentView, holdViewOf } from './current-view.ts';
import { isPassing, PendingRequests, plain, unanswered } from './pending-requests.ts';
import { passingShelf, type ReceiptShelf, Visit } from './visit.ts';
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

/**
 * One buyer's session with the server, from the waiting room to the ticket. It keeps the connection alive, enters
 * the show again after each loss, resumes the watched sections without a gap, and shows all of it in `view`.
 */
export class StampedeClient {
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #pending: PendingRequests;
  readonly #visit: Visit;
  readonly #sections = new WatchedSections();
  readonly #view = new CurrentView(this.#sections.states, (change) => this.#emit(change));
  readonly #listeners = new Set<(change: ClientChange) => void>();
  #bearer: string | undefined;
  #authenticateId = 0;
  /** A repeated checkout must name the hold it began with, also when that hold has become a sale. */
  #intent: { readonly idempotencyKey: string; readonly holdToken: number } | null = null;

  constructor({
    url,
    bearer,
    openSocket = openWebSocket,
    clock = systemClock,
    random = systemRandom,
    renewSession,
    hints = () => () => undefined,
    receipts = passingShelf(),
  }: ClientOptions) {
    this.#clock = clock;
    this.#bearer = bearer;
    const renew = renewSession && (() => this.#renew(renewSession));
    this.#connection = new Connection(
      { url, openSocket, clock, random, renewSession: renew, hints },
      {
        changed: (connection) => {
          if (connection.state === 'stopped') this.#pending.close();
          this.#view.applyConnection(connection);
        },
        opened: () => this.#opened(),
        received: (message) => this.#receive(message),
        ask: () => this.#connection.send({ type: 'ping', requestId: this.#pending.nextRequestId() }),
        dropped: () => this.#dropped(),
      },
    );
    const send = (message: ClientMessage): void => this.#connection.send(message);
    const pending = new PendingRequests(clock, send);
    this.#pending = pending;
    const [view, sections] = [this.#view, this.#sections];
    this.#visit = new Visit({ clock, random, pending, view, sections, shelf: receipts, send });
  }

  get view(): ClientView {
    return this.#view;
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
        this.#view.forget();
        this.#connection.reopen();
      }
    }
    return this.#visit.enter();
  }

  /** Takes a place in the waiting room, or finds the one this session has. */
  join(): Promise<Answer> {
    return this.#visit.join();
  }

  /** Gives the place or the admission up. */
  async leave(): Promise<Answer> {
    return plain(await this.#pending.request('leave', () => ({})));
  }

  /** Watches these sections and no others; answered when their seats are in the view. */
  watch(sections: readonly number[]): Promise<Answer> {
    if (sections.length > SECTIONS_WATCHED_MAX) {
      return Promise.resolve(unanswered('limit-exceeded', `at most ${SECTIONS_WATCHED_MAX} sections`));
    }
    this.#sections.replace(sections);
    return this.#visit.watch();
  }

  /** Adds seats, as indexes in the show, to the hold. */
  async hold(seats: readonly number[]): Promise<Answer<{ readonly hold: HoldView }>> {
    if (seats.length > SEATS_PER_REQUEST_MAX) {
      return unanswered('limit-exceeded', `at most ${SEATS_PER_REQUEST_MAX} seats`);
    }
    if (this.#isAway) return unanswered('disconnected');
    const settled = await this.#pending.request('hold', () => ({ seats }));
    return settled.ok ? { ok: true, hold: holdViewOf(settled.message) } : settled;
  }

  /** Moves the deadline of the hold. */
  async extend(): Promise<Answer> {
    if (!this.#view.hold) return NO_HOLD;
    if (this.#isAway) return unanswered('disconnected');
    const { holdToken } = this.#view.hold;
    return plain(await this.#pending.request('extend', () => ({ holdToken })));
  }

  /** Gives seats of the hold back; without seats the whole hold. */
  async release(seats: readonly number[] = []): Promise<Answer> {
    if (!this.#view.hold) return NO_HOLD;
    if (this.#isAway) return unanswered('disconnected');
    const { holdToken } = this.#view.hold;
    return plain(await this.#pending.request('release', () => ({ holdToken, seats })));
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
      if (!this.#view.hold) return NO_HOLD;
      this.#intent = { idempotencyKey, holdToken: this.#view.hold.holdToken };
    }
    const { holdToken } = this.#intent;
    const settled = await this.#pending.request('checkout', () => ({
      holdToken,
      idempotencyKey,
      amount,
    }));
    return settled.ok ? { ok: true, order: settled.message.order } : settled;
  }

  /** The session's latest orders of any show; they appear in the view too. */
  async listOrders(): Promise<Answer<{ readonly orders: readonly OrderMessage[] }>> {
    const settled = await this.#pending.request('orders', () => ({}));
    return settled.ok ? { ok: true, orders: settled.message.orders } : settled;
  }

  /** Then seats aren't asked for: nobody is told later of a seat that they clicked long ago. */
  get #isAway(): boolean {
    return this.#view.connection.state === 'reconnecting';
  }

  async #renew(renewSession: () => Promise<string | undefined>): Promise<void> {
    this.#bearer = await renewSession();
    this.#view.forgetBuyer();
  }

  #opened(): void {
    if (this.#bearer === undefined) return;
    this.#authenticateId = this.#pending.nextRequestId();
    this.#connection.send({ type: 'authenticate', requestId: this.#authenticateId, bearer: this.#bearer });
  }

  #dropped(): void {
    this.#authenticateId = 0;
    this.#view.time.reset();
    this.#visit.dropped();
    this.#pending.dropped();
  }

  /** Takes in what the server says; an answer is taken in like a push and then settles its request as well. */
  #receive(message: ServerMessage): void {
    if ('now' in message) this.#view.time.sample(message.now, this.#clock.now());
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
        this.#view.applyPhase(message);
        break;
      case 'waiting':
      case 'admitted':
      case 'outside':
        this.#view.applyStanding(message);
        if (message.type === 'outside') this.#visit.outside(message.reason);
        break;
      case 'place':
        this.#visit.keepReceipt(message.receipt);
        break;
      case 'snapshot':
        this.#applySeats(message, this.#sections.applySnapshot(message));
        break;
      case 'delta':
        this.#applySeats(message, this.#sections.applyDelta(message));
        break;
      case 'summary':
        if (!this.#view.applySummary(message, this.#sections.sectionCount)) this.#connection.drop();
        break;
      case 'hold':
        this.#view.applyHold(message);
        break;
      case 'hold-ended':
        this.#view.applyHoldEnded(message);
        break;
      case 'order':
        this.#view.applyOrder(message.order);
        break;
      case 'orders':
        for (const order of message.orders) this.#view.applyOrder(order);
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
        if (message.type === 'snapshot') this.#view.applyEpoch(message.epoch);
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

const NO_HOLD: Refused = unanswered('hold-ended', 'there is no hold');

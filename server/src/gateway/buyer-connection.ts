import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { AUTHENTICATION_TIMEOUT_MS, SOCKETS_PER_SESSION_MAX } from '@stampede/shared/protocol/limits.ts';
import type { ClientMessage, ClientMessageOf, ServerMessage } from '@stampede/shared/protocol/messages.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { BuyerSession, BuyerSessions } from '../access/buyer-session.ts';
import type { SecurityEvents } from '../access/security-events.ts';
import { type NetworkTag, showId, type SessionId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { type Refusal, refuse } from '../platform/outcome.ts';
import type { BuyerRequests, SaleRequest } from '../sale/buyer-requests.ts';
import type { Listener, Sale } from '../sale/sale.ts';
import { InboundFrames } from './inbound-frames.ts';
import { LastTold } from './last-told.ts';
import type { Sales } from '../sale/sales.ts';
import { SectionWatch } from './section-watch.ts';
import type { SessionTabs } from '../sale/session-tabs.ts';
import type { EndReason, Wire } from './wire.ts';

export interface ConnectionParts {
  readonly sales: Pick<Sales, 'enter'>;
  readonly requests: BuyerRequests;
  readonly sessions: Pick<BuyerSessions, 'readBearer'>;
  /** Every session's connections on this node. */
  readonly siblings: SessionTabs<BuyerConnection>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: SecurityEvents;
}

interface Entered {
  readonly kind: 'entered';
  readonly session: SessionId;
  readonly sale: Sale;
  /** What this socket listens to of what is for everybody in the show. */
  readonly topic: string;
  /** Null until something is watched: who waits watches nothing. */
  watch: SectionWatch | null;
  /** Pushes that came while the sale's state was being read; they follow it, so that nobody sees time run back. */
  held: ServerMessage[] | null;
}

/** A socket's life. Each state has just the fields that mean something in it. */
type State =
  | { readonly kind: 'anonymous'; readonly cancelTimeout: () => void }
  | { readonly kind: 'known'; readonly session: SessionId }
  | Entered
  | { readonly kind: 'closed' };

/** A reader that hasn't read what was sent by then isn't slow but gone, or on a network that won't do. */
const CATCH_UP_MS = 15_000;

/**
 * One tab of one buyer: reads its frames, keeps what it has entered and watches, and answers each request exactly
 * once. It holds no rule of the sale: what is allowed is decided by the commands behind `BuyerRequests`.
 */
export class BuyerConnection implements Listener {
  readonly #parts: ConnectionParts;
  readonly #wire: Wire;
  readonly #network: NetworkTag | null;
  readonly #inbound: InboundFrames;
  readonly #told = new LastTold();
  #state: State;
  #sessionEndsAt = Infinity;
  /** Ends when the last `enter` under way does. */
  #entering: Promise<void> | null = null;
  /** Calls off the end of a reader that missed something; null for one that got everything. */
  #cancelCatchUp: (() => void) | null = null;

  /** @param network where the socket came from; null where no limit holds for it */
  constructor(parts: ConnectionParts, wire: Wire, network: NetworkTag | null) {
    this.#parts = parts;
    this.#wire = wire;
    this.#network = network;
    this.#inbound = new InboundFrames(parts.clock, parts.requests);
    const cancelTimeout = parts.clock.after(AUTHENTICATION_TIMEOUT_MS, () =>
      this.#close('authentication-timeout'),
    );
    this.#state = { kind: 'anonymous', cancelTimeout };
  }

  /** The session came with the socket, as a cookie. */
  recognise(session: BuyerSession): void {
    this.#know(session, 0);
  }

  /** Its session ends here if it has outlived it. */
  endSessionIfOver(now: number): void {
    if (this.#sessionEndsAt <= now) this.rejectSession();
  }

  /** A cookie or bearer that is forged, cut off or too old, or whose session was ended. */
  rejectSession(): void {
    this.#close('session-stale');
  }

  receive(frame: Uint8Array, isBinary: boolean): void {
    if (this.#state.kind === 'closed') return;
    const read = this.#inbound.read(frame, isBinary);
    if (read.ok) {
      void this.#handle(read.message);
      return;
    }
    this.#parts.events.refused(read.kind, () => this.#network);
    if (read.requestId !== null) this.#refuse(read.requestId, read.refusal);
    if (read.isLast) this.#close('protocol-violation');
  }

  /** The socket is gone. */
  closed(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    this.#cancelCatchUp?.();
    if (state.kind === 'anonymous') state.cancelTimeout();
    else if (state.kind !== 'closed') this.#parts.siblings.remove(state.session, this);
    if (state.kind === 'entered') this.#leaveSale(state);
  }

  /** Too much was unread, and a broadcast was not sent to this socket. */
  missed(): void {
    if (this.#state.kind === 'closed') return;
    this.#cancelCatchUp ??= this.#parts.clock.after(CATCH_UP_MS, () => this.#close('slow-reader'));
  }

  /** Everything that was sent has been read; what was missed is made good with the state as it is now. */
  caughtUp(): void {
    if (!this.#cancelCatchUp) return;
    this.#cancelCatchUp();
    this.#cancelCatchUp = null;
    if (this.#state.kind !== 'entered') return;
    const { sale, watch } = this.#state;
    this.tell(sale.phaseMessage());
    this.tell(sale.summaryMessage());
    watch?.restart();
  }

  tell(message: ServerMessage): void {
    if (this.#state.kind === 'entered' && this.#state.held) this.#state.held.push(message);
    else if (!this.#told.keepsBack(message) && this.#told.isNews(message)) this.#send(message);
  }

  restart(): void {
    if (this.#state.kind !== 'entered') return;
    this.tell(this.#state.sale.enteredMessage(0));
    this.#state.watch?.restart();
    // Whoever is being told the state for the first time is told the truth of now anyway.
    if (this.#state.held === null) void this.#tellAnew(this.#state);
  }

  /** History was lost: place, hold and orders may be other ones than this socket was told. */
  async #tellAnew(entered: Entered): Promise<void> {
    // What is pushed while the state is read is newer than it, and follows it.
    entered.held = [];
    const before = this.#told.liveHold;
    try {
      const messages = await this.#parts.requests.describe(entered.sale, entered.session, 0);
      if (this.#state !== entered) return;
      const anew = messages.filter(({ type }) => type !== 'entered');
      // A hold that was answered meanwhile is newer than what was read, too.
      const isLost = before?.holdToken === this.#told.liveHold?.holdToken;
      if (before && isLost && !messages.some(({ type }) => type === 'hold')) {
        const revision = before.revision + 1;
        anew.unshift({ type: 'hold-ended', requestId: 0, ...before, reason: 'lost', revision });
      }
      this.#tellState(entered, anew);
    } catch (cause) {
      this.#parts.logger.error({ err: cause }, 'a lost state could not be told anew');
      // Coming back, the buyer asks again, when they and the stores are ready.
      this.#close('moving');
    }
  }

  async #handle(message: ClientMessage): Promise<void> {
    try {
      await this.#dispatch(message);
    } catch (cause) {
      // A broken part must cost this request, not the socket: the buyer may try again.
      this.#parts.logger.error({ err: cause, request: message.type }, 'a request failed');
      if ('requestId' in message) this.#refuse(message.requestId, refuse('busy', { retryAfterMs: 1_000 }));
    }
  }

  async #dispatch(message: ClientMessage): Promise<void> {
    const state = this.#state;
    if (state.kind === 'closed') return;
    if (message.type === 'authenticate') this.#authenticate(message.bearer, message.requestId);
    else if (state.kind === 'anonymous') this.#refuseOutside(message, 'not-authenticated');
    else if (message.type === 'ping') this.#pong(message.requestId);
    else if (message.type === 'enter') await this.#enterInTurn(message.show, message.requestId);
    else if (message.type === 'orders') await this.#listOrders(state.session, message.requestId);
    else if (state.kind === 'known') this.#refuseOutside(message, 'not-entered');
    else if (message.type === 'acknowledge') state.watch?.acknowledge(message.sections);
    else if (message.type === 'watch') this.#watch(state, message);
    else await this.#answerOnSale(state, message);
  }

  #watch(entered: Entered, { sections, requestId }: ClientMessageOf<'watch'>): void {
    entered.watch ??= new SectionWatch(entered.sale, this.#wire);
    this.#answer(requestId, entered.watch.set(sections, requestId));
  }

  #pong(requestId: number): void {
    this.#send({ type: 'pong', requestId, now: this.#parts.clock.now() });
  }

  async #listOrders(session: SessionId, requestId: number): Promise<void> {
    this.#answer(requestId, await this.#parts.requests.listOrders(session, requestId));
  }

  async #answerOnSale(entered: Entered, message: SaleRequest): Promise<void> {
    this.#told.asked();
    try {
      const buyer = { session: entered.session, network: this.#network };
      const answer = await this.#parts.requests.answer(entered.sale, buyer, message);
      this.#answer(message.requestId, answer);
      if (message.type === 'checkout' && isProcessing(answer)) this.#told.acceptedFor(message.holdToken);
    } finally {
      const behind = this.#told.answered();
      if (this.#belongsTo(entered)) for (const word of behind) this.tell(word);
    }
  }

  /**
   * Whether what was said while a request of an entry was under way has a place here: not in another sale; in the same
   * one that was entered again once its state is told, for that may have had to wait for the answer, too.
   */
  #belongsTo(entered: Entered): boolean {
    const state = this.#state;
    if (state.kind !== 'entered') return false;
    return state === entered || (state.sale === entered.sale && state.held === null);
  }

  #authenticate(bearer: string, requestId: number): void {
    if (this.#state.kind !== 'anonymous') {
      this.#refuse(requestId, refuse('malformed', { detail: 'this socket has a session already' }));
      return;
    }
    const reading = this.#parts.sessions.readBearer(bearer, this.#parts.clock.now());
    if (reading.kind === 'session') {
      this.#know(reading.session, requestId);
    } else {
      this.#refuse(requestId, refuse('session-stale'));
      this.#close('session-stale');
    }
  }

  #know({ id: session, expiresAt }: BuyerSession, requestId: number): void {
    if (this.#state.kind !== 'anonymous') return;
    const { siblings } = this.#parts;
    const [sibling, ...more] = siblings.of(session);
    if (more.length + 1 >= SOCKETS_PER_SESSION_MAX) {
      this.#close('too-many-sockets');
      return;
    }
    // More sockets give a session no more to say (PROTOCOL.md rule 7.4).
    if (sibling) this.#inbound.shareBudgetOf(sibling.#inbound);
    siblings.add(session, this);
    this.#state.cancelTimeout();
    this.#state = { kind: 'known', session };
    this.#sessionEndsAt = expiresAt;
    this.#send({ type: 'welcome', requestId, now: this.#parts.clock.now() });
  }

  /** One after the other, so that each `enter` gets its answer and the last one counts. */
  #enterInTurn(show: number, requestId: number): Promise<void> {
    const enter = (): Promise<void> => this.#enter(show, requestId);
    const turn = this.#entering ? this.#entering.then(enter) : enter();
    const over = (): void => {
      if (this.#entering === ended) this.#entering = null;
    };
    // Whether it failed is for whoever asked; the next one in line only needs to know that it is over.
    const ended = turn.then(over, over);
    this.#entering = ended;
    return turn;
  }

  async #enter(show: number, requestId: number): Promise<void> {
    const sale = await this.#parts.sales.enter(showId(show));
    if (!sale) {
      this.#refuse(requestId, refuse('show-unknown'));
      return;
    }
    // The socket may have gone while the show was opened. Who has a session keeps it.
    if (this.#state.kind !== 'known' && this.#state.kind !== 'entered') return;
    if (this.#state.kind === 'entered') this.#leaveSale(this.#state);
    const { session } = this.#state;
    const entered: Entered = {
      kind: 'entered',
      session,
      sale,
      topic: sale.nextTopic(),
      watch: null,
      held: [],
    };
    this.#state = entered;
    this.#wire.subscribe(entered.topic);
    try {
      if (sale.enter(session, this)) await this.#parts.requests.setPresent(sale, session, true);
      const messages = await this.#parts.requests.describe(sale, session, requestId);
      // The socket may have gone meanwhile.
      if (this.#state !== entered) return;
      // What was told before belongs to an earlier entry, and the client forgot it.
      this.#told.forget();
      this.#tellState(entered, messages);
    } catch (cause) {
      // Half entered, it would hoard pushes for a state that never comes.
      if (this.#state === entered) {
        this.#state = { kind: 'known', session };
        this.#leaveSale(entered);
      }
      throw cause;
    }
  }

  /** The sale's state, then what was pushed while it was read. */
  #tellState(entered: Entered, messages: readonly ServerMessage[]): void {
    const held = entered.held ?? [];
    entered.held = null;
    this.#wire.cork(() => {
      for (const message of messages) this.tell(message);
      for (const message of held) this.tell(message);
    });
  }

  #leaveSale({ sale, session, topic, watch }: Entered): void {
    watch?.clear();
    this.#wire.unsubscribe(topic);
    if (!sale.leave(session, this)) return;
    this.#parts.requests.setPresent(sale, session, false).catch((cause: unknown) => {
      // The place then outlives its grace time by nothing: the store counts from the last sign of life.
      this.#parts.logger.error({ err: cause }, 'an absence could not be recorded');
    });
  }

  /** For what is said too early; what asks for no answer gets none. */
  #refuseOutside(message: ClientMessage, code: 'not-authenticated' | 'not-entered'): void {
    if ('requestId' in message) this.#refuse(message.requestId, refuse(code));
  }

  #answer(requestId: number, answer: ServerMessage | Refusal): void {
    if ('ok' in answer) {
      this.#refuse(requestId, answer);
    } else {
      this.#told.isNews(answer);
      this.#send(answer);
    }
  }

  #refuse(requestId: number, { code, seats, detail, retryAfterMs }: Refusal): void {
    this.#send({ type: 'refused', requestId, code, seats, detail, retryAfterMs });
  }

  #send(message: ServerMessage): void {
    this.#wire.send(encodeServerMessage(message));
  }

  #close(reason: EndReason): void {
    if (this.#state.kind === 'closed') return;
    this.#wire.close(reason);
    this.closed();
  }
}

function isProcessing(answer: ServerMessage | Refusal): boolean {
  return 'type' in answer && answer.type === 'order' && answer.order.status === 'processing';
}

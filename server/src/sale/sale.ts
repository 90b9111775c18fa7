import type { Phase, ServerMessage, ServerMessageOf } from '@stampede/shared/protocol/messages.ts';
import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { encodeSummaries } from '@stampede/shared/seat-map/section-summary.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Show } from '../catalog/show.ts';
import type { SessionId } from '../platform/ids.ts';
import { SeatBoard } from './seat-board.ts';
import type { SeatRules } from '../seating/seat-store.ts';
import { type Audience, SectionBroadcast } from './section-broadcast.ts';
import type { FeedBase, FeedEntry, FeedFollower, Hold, Notice, ShowFeed } from '../feed/show-feed.ts';
import type { ShowReading, WaitingRoomReading } from '../platform/metrics.ts';
import type { Outside } from '../platform/outside.ts';
import { isRoomOver, phaseOf, rulesOf, type WaitingRoomParts } from '../waiting-room/waiting-room.ts';
import { seatRulesOf } from './show-seats.ts';
import { type Position, PositionPush } from './position-push.ts';
import {
  PRESENT_PER_STEP_MAX,
  type Standing,
  type WaitingRoomRules,
} from '../waiting-room/waiting-room-store.ts';
import { SessionTabs } from './session-tabs.ts';

/** One tab, as a sale tells it things. */
export interface Listener {
  tell(message: ServerMessage): void;
  /** The seats' history was lost: everything watched must be sent anew. */
  restart(): void;
}

export interface SaleParts {
  readonly outside: Outside;
  readonly waitingRoom: Pick<WaitingRoomParts, 'store' | 'settings'>;
  readonly seatsHeldPerAddressPercent: number;
  readonly audience: Audience;
  readonly feed: ShowFeed;
  readonly countSeatChanges: (count: number) => void;
}

/**
 * A show on this node: its rules and phase, the board of its seats, its buyers' tabs, what they are told of seats and
 * of their positions. It follows the show's feed, and tells notices to those sessions that have their tabs here.
 */
export class Sale implements FeedFollower {
  readonly board: SeatBoard;
  readonly broadcast: SectionBroadcast;
  readonly positions: PositionPush;
  readonly #parts: SaleParts;
  readonly #clock: Clock;
  readonly #tabs = new SessionTabs<Listener>();
  #topicsGiven = 0;
  #announcedPhase: Phase | null = null;
  #show: Show;
  #seatRules: SeatRules;
  #waitingRules: WaitingRoomRules;
  #usedAt: number;
  #unfollow: () => void = () => undefined;

  private constructor(show: Show, parts: SaleParts) {
    this.#parts = parts;
    this.#clock = parts.outside.clock;
    this.#usedAt = this.#clock.now();
    [this.#show, this.#seatRules, this.#waitingRules] = this.#termsOf(show);
    this.board = new SeatBoard(show.seatMap, show.prices.length);
    this.broadcast = new SectionBroadcast(show.id, this.board, parts.audience, this.#clock);
    this.positions = new PositionPush(
      parts.waitingRoom.store,
      () => this.#waitingRules,
      (session, position) => this.tell(session, waitingMessage(position, 0)),
      (session) => void this.#tellStanding(session),
    );
  }

  /** A show as it stands: rejects if the live store has not its seats. */
  static async open(show: Show, parts: SaleParts): Promise<Sale> {
    const sale = new Sale(show, parts);
    sale.#unfollow = await parts.feed.follow(show.id, sale);
    return sale;
  }

  get show(): Show {
    return this.#show;
  }

  get seatRules(): SeatRules {
    return this.#seatRules;
  }

  get waitingRules(): WaitingRoomRules {
    return this.#waitingRules;
  }

  /** Goes on with terms that the organiser changed. A show keeps its layout for ever: tickets refer to it. */
  change(show: Show): void {
    [this.#show, this.#seatRules, this.#waitingRules] = this.#termsOf(show);
    this.announcePhase();
  }

  #termsOf(show: Show): [Show, SeatRules, WaitingRoomRules] {
    const { seatsHeldPerAddressPercent, waitingRoom } = this.#parts;
    return [show, seatRulesOf(show, seatsHeldPerAddressPercent), rulesOf(show, waitingRoom.settings)];
  }

  /** Whether somebody is in it here, or holds seats wherever they are. */
  get isAlive(): boolean {
    return this.sessionCount > 0 || this.board.unsold > this.board.freeSeats;
  }

  /** Somebody needs it now. */
  use(): void {
    this.#usedAt = this.#clock.now();
  }

  isUnusedSince(instant: number): boolean {
    return this.#usedAt < instant && !this.isAlive;
  }

  /** The show on this node as metrics tell it; asks nobody. */
  get reading(): ShowReading {
    return { show: this.show.id, sessions: this.sessionCount, seats: this.board.countByStatus() };
  }

  /** Its waiting room, as it is for all nodes. */
  async readRoom(): Promise<WaitingRoomReading> {
    const { waiting, admitted } = await this.#parts.waitingRoom.store.ranks(this.#waitingRules, []);
    return { show: this.show.id, waiting, admitted };
  }

  /** Whether nobody waits or was let in, by the store; or nobody can be any more. */
  async isRoomEmpty(): Promise<boolean> {
    if (isRoomOver(this.#show, this.#clock.now())) return true;
    const { waiting, admitted } = await this.readRoom();
    return waiting === 0 && admitted === 0;
  }

  onBase(base: FeedBase): void {
    this.board.reset(base);
    for (const tab of this.#tabs.all()) tab.restart();
  }

  base(): FeedBase {
    return this.board.base();
  }

  get sectionOf(): Uint16Array {
    return this.#show.seatMap.sectionOf;
  }

  onEntries(entries: readonly FeedEntry[]): void {
    for (const { changes, notice } of entries) {
      this.board.apply(changes);
      this.#parts.countSeatChanges(changes.length);
      if (notice) this.#pass(notice);
    }
    this.broadcast.wake();
  }

  phase(): Phase {
    return phaseOf(this.show.sale, this.show.paused, this.board.soldOut, this.#clock.now());
  }

  phaseMessage(): ServerMessage {
    const { lobbyAt, opensAt } = this.show.sale;
    return { type: 'phase', phase: this.phase(), lobbyAt, opensAt, now: this.#clock.now() };
  }

  /** Every section's summary. */
  summaryMessage(): ServerMessage {
    return { type: 'summary', sections: encodeSummaries(this.board.summaries()) };
  }

  /** What whoever entered must know of the sale itself; `requestId` 0 for a push, when history was lost. */
  enteredMessage(requestId: number): ServerMessage {
    const { id, sale } = this.show;
    const { seatsPerBuyer, holdLifetimeMs } = sale;
    const [epoch, now] = [this.board.epoch, this.#clock.now()];
    return { type: 'entered', requestId, show: id, epoch, now, seatsPerBuyer, holdLifetimeMs };
  }

  /** Where a session stands, as it travels. Who waits is told from now on when that changes. */
  standingMessage(session: SessionId, standing: Standing, requestId: number): ServerMessage {
    const now = this.#clock.now();
    switch (standing.state) {
      case 'outside':
        this.positions.remove(session);
        return { type: 'outside', requestId, reason: standing.reason };
      case 'admitted':
        this.positions.remove(session);
        return { type: 'admitted', requestId, deadline: standing.deadline, now };
      case 'waiting': {
        const position = this.positions.add(session, standing, this.phase(), now);
        // Nobody is left to tell if the last tab closed while the store was asked.
        if (!this.hasTabs(session)) this.positions.remove(session);
        return waitingMessage(position, requestId);
      }
    }
  }

  /** Tells everybody when the phase is another than last time. */
  announcePhase(): void {
    const phase = this.phase();
    if (phase === this.#announcedPhase) return;
    this.#announcedPhase = phase;
    const frame = encodeServerMessage(this.phaseMessage());
    for (const topic of this.broadcast.topics) this.#parts.audience.publish(topic, frame);
  }

  /** The topic for a socket that enters: what is for everybody in the show is published there, too. */
  nextTopic(): string {
    const { topics } = this.broadcast;
    return topics[this.#topicsGiven++ % topics.length] ?? '';
  }

  /** Adds a tab; true if it is the session's first on this node. */
  enter(session: SessionId, tab: Listener): boolean {
    return this.#tabs.add(session, tab);
  }

  /** Removes a tab; true if it was the session's last on this node. */
  leave(session: SessionId, tab: Listener): boolean {
    if (!this.#tabs.remove(session, tab)) return false;
    this.positions.remove(session);
    return true;
  }

  /** How many sessions have a tab on this node. */
  get sessionCount(): number {
    return this.#tabs.size;
  }

  /**
   * Tells the waiting room who has a tab on this node, step by step: who goes amid that is told to be absent, and must not
   * be called present after it.
   */
  async tellPresent(): Promise<void> {
    const sessions = this.#tabs.sessions();
    for (let from = 0; from < sessions.length; from += PRESENT_PER_STEP_MAX) {
      const some = sessions.slice(from, from + PRESENT_PER_STEP_MAX).filter((one) => this.hasTabs(one));
      await this.#parts.waitingRoom.store.setPresent(this.#waitingRules, some, true);
    }
  }

  hasTabs(session: SessionId): boolean {
    return this.#tabs.has(session);
  }

  /** Tells all tabs of a session. */
  tell(session: SessionId, message: ServerMessage): void {
    for (const tab of this.#tabs.of(session)) tab.tell(message);
  }

  stop(): void {
    this.#unfollow();
    this.broadcast.stop();
  }

  /** For a session whose place may be gone or not: an answer was overtaken, a notice is late, or history was lost. */
  async #tellStanding(session: SessionId): Promise<void> {
    try {
      const standing = await this.#parts.waitingRoom.store.standing(this.waitingRules, session);
      this.tell(session, this.standingMessage(session, standing, 0));
    } catch {
      // The store is away; the buyer keeps the last word they had, and asks anew when they come back.
    }
  }

  #pass(notice: Notice): void {
    switch (notice.kind) {
      case 'hold':
        this.tell(notice.session, holdMessage(notice.hold, 0, this.#clock.now()));
        break;
      case 'hold-ended': {
        const { holdToken, seats, reason, revision } = notice;
        this.tell(notice.session, { type: 'hold-ended', requestId: 0, holdToken, seats, reason, revision });
        break;
      }
      case 'order':
        this.tell(notice.session, { type: 'order', requestId: 0, order: notice.order });
        break;
      case 'outside':
        // Who left and joined anew may have been answered before a late feed says that they left: the store knows.
        if (this.positions.has(notice.session)) void this.#tellStanding(notice.session);
        else this.tell(notice.session, { type: 'outside', requestId: 0, reason: notice.reason });
        break;
      case 'admitted':
        this.positions.countAdmissions(notice.admissions.length, this.#clock.now());
        for (const { session, deadline } of notice.admissions) {
          this.positions.remove(session);
          this.tell(session, { type: 'admitted', requestId: 0, deadline, now: this.#clock.now() });
        }
        break;
      default:
        notice satisfies never;
    }
  }
}

/** A waiting buyer's position as it travels; `requestId` 0 for a push. */
function waitingMessage({ position, behind, wait }: Position, requestId: number): ServerMessage {
  return { type: 'waiting', requestId, position, behind, wait };
}

/** A hold as it travels; `requestId` 0 for a push. Nobody hears of an order before the payment log has it [P2]. */
export function holdMessage(hold: Hold, requestId: number, now: number): ServerMessageOf<'hold'> {
  const { holdToken, seats, expiresAt, extensionsLeft, revision } = hold;
  const orderId = hold.isAccepted ? hold.orderId : null;
  const payment = hold.orderId === null ? 'none' : hold.isAccepted ? 'accepted' : 'handing-over';
  return {
    ...{ type: 'hold', requestId, holdToken, seats, expiresAt, now, extensionsLeft },
    ...{ orderId, payment, revision },
  };
}

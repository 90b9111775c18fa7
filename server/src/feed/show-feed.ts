import type { HoldEndReason, OrderMessage, OutsideReason } from '@stampede/shared/protocol/messages.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import type { HoldToken, OrderId, SeatIndex, SessionId, ShowId } from '../platform/ids.ts';

/** A buyer's time-limited claim on seats. A buyer has at most one live hold per show. */
export interface Hold {
  readonly holdToken: HoldToken;
  /** In the order they were taken. */
  readonly seats: readonly SeatIndex[];
  /** What the seats cost together, in minor units. */
  readonly amount: number;
  readonly expiresAt: number;
  readonly extensionsLeft: number;
  /** The order that is paying for the seats: while it does, nothing about the hold can change. */
  readonly orderId: OrderId | null;
  /** When it was frozen for that order; 0 without one. */
  readonly begunAt: number;
  /** Whether the payment log is known to have that order: only then may anybody be told of it [P2]. */
  readonly isAccepted: boolean;
  /** Rises with every change of the hold, and is above what it was before a loss of the store. */
  readonly revision: number;
}

export interface ReleasedHold {
  readonly holdToken: HoldToken;
  readonly seats: readonly SeatIndex[];
  readonly reason: HoldEndReason;
  readonly revision: number;
}

/** A seat's new status; `seat` counts from the start of the show. */
export interface SeatChange {
  readonly seat: SeatIndex;
  readonly status: SeatStatus;
}

/** Something that sessions must hear; whichever gateway has their sockets tells them. */
export type Notice =
  | { readonly kind: 'hold'; readonly session: SessionId; readonly hold: Hold }
  | ({ readonly kind: 'hold-ended'; readonly session: SessionId } & ReleasedHold)
  | { readonly kind: 'order'; readonly session: SessionId; readonly order: OrderMessage }
  | { readonly kind: 'admitted'; readonly admissions: readonly { session: SessionId; deadline: number }[] }
  | { readonly kind: 'outside'; readonly session: SessionId; readonly reason: OutsideReason };

const noticeKinds: Readonly<Record<Notice['kind'], true>> = {
  hold: true,
  'hold-ended': true,
  order: true,
  admitted: true,
  outside: true,
};

/** Whether this version knows what a notice tells: a newer one may write to the same feed during a deploy. */
export function isKnownNotice({ kind }: { readonly kind: string }): boolean {
  return Object.hasOwn(noticeKinds, kind);
}

/** What one atomic step changed: seats, in order, and at most one notice. */
export interface FeedEntry {
  readonly changes: readonly SeatChange[];
  readonly notice: Notice | null;
}

/** Every seat's status after a known part of the feed; the entries that follow continue exactly from here. */
export interface FeedBase {
  /** Changes when history was lost. */
  readonly epoch: number;
  readonly statuses: Uint8Array;
  /** Per section: how many seat changes of this epoch are contained. */
  readonly sequences: readonly number[];
}

export interface FeedFollower {
  /** Of each seat: sequences count by section. */
  readonly sectionOf: Uint16Array;
  /** Called first, and again whenever history was lost: forget everything and start from here. The base is its to keep. */
  onBase(base: FeedBase): void;
  /** Called with new entries in order, without gap or repetition. */
  onEntries(entries: readonly FeedEntry[]): void;
  /** The last base with every entry since: nobody else on the node keeps it. What is returned is not changed any more. */
  base(): FeedBase;
}

/** The ordered history of one show, written by stores in the same atomic step as what it tells of. */
export interface ShowFeed {
  /** The status of every seat by what was written before this call. Rejects if the show was never opened. */
  read(show: ShowId): Promise<Uint8Array>;

  /**
   * Follows a show until the returned function is called. Resolves after the first `onBase`; rejects if the show was
   * never opened.
   */
  follow(show: ShowId, follower: FeedFollower): Promise<() => void>;
}

export class UnknownFeedError extends Error {
  override readonly name = 'UnknownFeedError';

  constructor(show: ShowId) {
    super(`show ${show} has no feed: it was never opened`);
  }
}

/** The wire has 32 bits: half of them are left for the epochs that follow the first one of a show. */
const FIRST_EPOCHS = 2 ** 31 - 1;

/**
 * Makes epochs at random: no clock and no store that lost its memory can lead to one that was used before, and let
 * somebody go on with another history [P5].
 */
export function newEpochs(random: Random): () => number {
  return () => 1 + Math.floor(random() * FIRST_EPOCHS);
}

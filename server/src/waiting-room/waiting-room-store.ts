import type { OutsideReason } from '@stampede/shared/protocol/messages.ts';
import type { SaleTerms } from '../catalog/show.ts';
import type { NetworkTag, SessionId, ShowId } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';

/** Nodes tell who is present three times as often; a node that is busy for seconds makes nobody absent. */
export const PRESENCE_MS = 60_000;

/**
 * Admissions wait so long from the first place that is given back: buyers come back within this, and until they have, the
 * head of the line is only whoever was fastest.
 */
export const RESTORING_MS = 3_000;

/** Sessions of one step of `setPresent`: more would keep everybody else waiting [P7]. */
export const PRESENT_PER_STEP_MAX = 250;

/** What of an on-sale's terms its waiting room goes by. */
type Terms = 'opensAt' | 'admissionsPerSecond' | 'admissionBurst' | 'admittedMax' | 'admissionLifetimeMs';

/** What a store must know of an on-sale to run its waiting room. Lifetimes in milliseconds. */
export interface WaitingRoomRules extends Pick<SaleTerms, Terms> {
  readonly show: ShowId;
  /** Hex of the seed of the draw. */
  readonly drawSeed: string;
  /** How long a place or admission outlives its last socket. */
  readonly graceMs: number;
  /** How long a word of presence is believed. */
  readonly presenceMs: number;
  /** How long an admission given to an absent buyer waits for them. */
  readonly claimMs: number;
  /** Places at most. */
  readonly queueMax: number;
  /** Places and admissions of one network at most. */
  readonly placesPerNetworkMax: number;
}

/** A place that was given, by a waiting room that may have been lost since. */
export interface LostPlace {
  /** Names the room: one that is set up anew after a loss has another name. */
  readonly room: string;
  readonly score: number;
}

/** What somebody who joins comes with, where it is something. */
export interface Arrival {
  /** Where they come from; absent or null where no limit per network holds. */
  readonly network?: NetworkTag | null;
  /** Of the place that they once had. */
  readonly lost?: LostPlace | null;
}

/** Where a session stands with one on-sale. */
export type Standing =
  | { readonly state: 'outside'; readonly reason: OutsideReason }
  /**
   * `ahead`: people in front. Before the opening the draw is not held and `ahead` is null. `score` orders the
   * places of a show and stays while the place is kept; it and `room` are for the server's own use and for receipts.
   */
  | {
      readonly state: 'waiting';
      readonly ahead: number | null;
      readonly score: number;
      readonly room: string;
    }
  /** Admitted before `deadline`, no longer at it. */
  | { readonly state: 'admitted'; readonly deadline: number };

/** Ranks of some sessions at one moment. */
export interface Ranks {
  /** Whether the draw is over: before the opening nobody has a rank. */
  readonly drawn: boolean;
  /** People waiting in all, and admitted. */
  readonly waiting: number;
  readonly admitted: number;
  /** People in front of each asked session, in the order asked; null for those who don't wait or have no rank yet. */
  readonly ahead: readonly (number | null)[];
}

/**
 * Places and admissions of every on-sale. Each method is one atomic step; whoever is admitted or falls out is
 * written to the show's feed in that step. Any number of nodes may call `admit` and `expire`: together they never
 * admit more than the rules allow. A place or admission whose time has run out counts as gone, swept or not: it
 * ends at its deadline, not after it.
 *
 * What a node asks for (`join`, `leave`, `standing`, `setPresent`, `expire`, `admit`) is decided in the order it was
 * asked, awaited or not, each for itself: whose socket goes and comes back in one moment is there [P4].
 *
 * The store tells the time by its own clock, one for all nodes: a node whose clock is wrong is wrong for itself only.
 * What is stored from further ahead than the clock can explain, because it was set back, counts as from now.
 */
export interface WaitingRoomStore {
  /**
   * Takes a place, or returns the one the session has [P4]. Before opening the place's score is the first 52 bits
   * of HMAC-SHA256(seed, session), after it 2^52 plus the microseconds since the opening, or one more than the last
   * one's: a draw for the early, first come for the late. A place of a room that was lost is given back with its
   * score, once, to whoever had none since; a room's own word counts more than any claim to have had a place in it.
   * So order survives a loss, and who joins after it stands behind all who joined before.
   * The draw closes once: after the first step at or past `opensAt` nobody enters it any more, whatever becomes of
   * the clock, so that nobody who knows their position moves backwards [P4]. Who takes a
   * place counts as present until `setPresent` says otherwise. Refusals: `network-full`, `queue-full`.
   */
  join(rules: WaitingRoomRules, session: SessionId, arrival?: Arrival): Promise<Outcome<Standing>>;

  /** Gives up place or admission; the slot is free at once. Who is outside already stays so for the old reason. */
  leave(rules: WaitingRoomRules, session: SessionId): Promise<Standing>;

  /**
   * Ends the visit of which an order begun at `orderedAt` was part: an admission that was given by then. One that was
   * given later is another visit, and a place is none, so doing this again, however late, changes nothing [P4].
   */
  finish(rules: WaitingRoomRules, session: SessionId, orderedAt: number): Promise<Standing>;

  standing(rules: WaitingRoomRules, session: SessionId): Promise<Standing>;

  ranks(rules: WaitingRoomRules, sessions: readonly SessionId[]): Promise<Ranks>;

  /**
   * Lets in as many from the head as token bucket and cap allow, never before `opensAt`. An absent buyer gets the
   * claim time instead of the full lifetime. Returns how many were let in.
   */
  admit(rules: WaitingRoomRules): Promise<number>;

  /** Ends admissions at their deadline and places whose buyer was away for the grace time; returns how many. */
  expire(rules: WaitingRoomRules): Promise<number>;

  /**
   * Tells that sessions have sockets on this node, or that their last one went; does nothing for those outside.
   * Going starts the grace time, once: repeating it doesn't lengthen it. Coming back ends the grace time, and turns
   * a claim into an admission of full lifetime from now.
   *
   * Presence is to be told again more often than `presenceMs`, because a node that dies tells nothing: whose presence
   * was not told for so long is taken for absent when their turn comes. And a buyer with tabs on two nodes, of
   * which one goes, is there again with the other's next word.
   *
   * More than `PRESENT_PER_STEP_MAX` sessions may be several steps, and others are decided between them.
   */
  setPresent(rules: WaitingRoomRules, sessions: readonly SessionId[], present: boolean): Promise<void>;
}

/** What the seat store asks in its own atomic step; `now` is that step's instant. */
export interface AdmissionCheck {
  isAdmitted(show: ShowId, session: SessionId, now: number): boolean;
}

import type { Phase } from '@stampede/shared/protocol/messages.ts';
import type { SessionId } from '../platform/ids.ts';
import { type Anchor, boundRanks, chooseAnchors } from '../waiting-room/rank-sampling.ts';
import { type Ranked, RankedQueue } from '../waiting-room/ranked-queue.ts';
import {
  type AdmissionRate,
  countAdmissions,
  estimateWait,
  measuredRate,
  type WaitEstimate,
} from '../waiting-room/wait-estimate.ts';
import type { Standing, WaitingRoomRules, WaitingRoomStore } from '../waiting-room/waiting-room-store.ts';

/** What a waiting buyer is told. */
export interface Position {
  /** People in front plus one; 0 in the lobby, where the draw has not been held. */
  readonly position: number;
  /** People behind; in the lobby everybody in it. */
  readonly behind: number;
  /** null while the sale is paused, in the lobby, and where nothing can be said. */
  readonly wait: WaitEstimate | null;
}

export type WaitingStanding = Extract<Standing, { state: 'waiting' }>;

/** Near the head every step counts, and the few who stand there are told at once. */
const NEAR_PLACES = 200;
const NEAR_MS = 1_000;
const MIDDLE_PLACES = 5_000;
const MIDDLE_MS = 5_000;
const FAR_MS = 10_000;
/** The number of people in the lobby is worth a message this often. */
const LOBBY_PUSH_MS = 5_000;

/** Messages of one tick: a fraction of what one core can send, and enough for every socket a process can have. */
const TOLD_PER_TICK_MAX = 20_000;

const NOTHING_TOLD: Position = { position: 0, behind: 0, wait: null };

interface OwnPlace extends Ranked {
  /** The most people that can be in front; null while nothing is known. */
  ahead: number | null;
  exact: boolean;
  told: Position;
  toldAt: number;
}

/**
 * Tells the waiting buyers of one show on this node where they stand [A1, A18]. `tick` is for `repeat`, about
 * once a second, and asks the store once, however many wait. A node that dies takes nothing along: buyers
 * come back to another one, which adds them anew.
 */
export class PositionPush {
  readonly #store: WaitingRoomStore;
  readonly #rules: () => WaitingRoomRules;
  readonly #tell: (session: SessionId, position: Position) => void;
  readonly #waitsNoMore: (session: SessionId) => void;
  readonly #places = new Map<SessionId, OwnPlace>();
  readonly #line = new RankedQueue<OwnPlace>();
  #waiting = 0;
  /** What everybody is told whose rank is not known, which in the lobby is everybody. */
  #unranked = NOTHING_TOLD;
  #rate: AdmissionRate | null = null;

  /**
   * `rules` gives the show's at the moment. `waitsNoMore` is called for a session that the store turns out not to know as waiting though nobody said so: an
   * answer to it was overtaken by its admission, or feed history was lost. It should be told its standing anew.
   */
  constructor(
    store: WaitingRoomStore,
    rules: () => WaitingRoomRules,
    tell: (session: SessionId, position: Position) => void,
    waitsNoMore: (session: SessionId) => void = () => undefined,
  ) {
    this.#store = store;
    this.#rules = rules;
    this.#tell = tell;
    this.#waitsNoMore = waitsNoMore;
  }

  /** Sessions waiting on this node. */
  get size(): number {
    return this.#places.size;
  }

  /** Takes a waiting session in, or its newer standing, and returns what to answer it at once. */
  add(session: SessionId, { ahead, score }: WaitingStanding, phase: Phase, now: number): Position {
    const before = this.#places.get(session);
    this.remove(session);
    this.#waiting = Math.max(this.#waiting, this.size + 1, (ahead ?? 0) + 1);
    const place: OwnPlace = { session, score, ahead, exact: ahead !== null, told: NOTHING_TOLD, toldAt: now };
    // A second tab must not see another number than the first.
    if (before?.score === score && ahead !== null) place.ahead = stillAhead(before.ahead, 0, ahead);
    place.told = this.#position(place.ahead, phase, now);
    this.#places.set(session, place);
    this.#line.insert(place);
    return place.told;
  }

  /** Whether a session waits here, as far as anybody said. */
  has(session: SessionId): boolean {
    return this.#places.has(session);
  }

  /** Forgets a session: its last socket went, or it waits no more. */
  remove(session: SessionId): void {
    const place = this.#places.get(session);
    if (!place) return;
    this.#places.delete(session);
    this.#line.remove(place);
  }

  /** Counts admissions of the show, anywhere, for the estimate. */
  countAdmissions(admitted: number, now: number): void {
    // With nobody waiting here the rate would be that of arrivals, not what the sale is capable of.
    if (this.size > 0) this.#rate = countAdmissions(this.#rate, admitted, now);
  }

  /** Asks the store once and tells those who are due and for whom something changed. Rejects as the store does. */
  async tick(phase: Phase, now: number): Promise<void> {
    if (this.size === 0 || phase === 'paused') this.#rate = null;
    if (this.size === 0) return;
    if (phase === 'lobby') await this.#tickLobby(phase, now);
    else if (phase === 'open' || phase === 'paused') await this.#tickQueue(phase, now);
  }

  async #tickLobby(phase: Phase, now: number): Promise<void> {
    this.#waiting = (await this.#store.ranks(this.#rules(), [])).waiting;
    const due = this.#line.toArray().filter(({ toldAt }) => isOver(LOBBY_PUSH_MS, toldAt, now));
    this.#tellAll(due, phase, now);
  }

  async #tickQueue(phase: Phase, now: number): Promise<void> {
    const own = this.#line.toArray();
    const asked = chooseAnchors(own, this.#waiting);
    const askedPlaces = asked.flatMap((index) => own[index] ?? []);
    const ranks = await this.#store.ranks(
      this.#rules(),
      askedPlaces.map(({ session }) => session),
    );
    this.#waiting = ranks.waiting;
    // The store's clock is behind this node's: it will have held the draw in a moment.
    if (!ranks.drawn) return;
    const answers = new Map(askedPlaces.map((place, at) => [place, ranks.ahead[at] ?? null]));
    const waiting = own.filter((place) => answers.get(place) !== null);
    const anchors = waiting.flatMap((place, index): Anchor[] => {
      const ahead = answers.get(place) ?? null;
      return ahead === null ? [] : [{ index, ahead }];
    });
    const due: OwnPlace[] = [];
    for (const [index, { least, most }] of boundRanks(waiting.length, anchors, ranks.waiting).entries()) {
      const place = waiting[index];
      // The session may have gone, or come anew with another place, while the store was asked.
      if (!place || this.#places.get(place.session) !== place) continue;
      place.ahead = stillAhead(place.ahead, least, most);
      place.exact = answers.has(place);
      const isDue = isOver(pushIntervalMs(place.ahead), place.toldAt, now);
      if (isDue || place.told.position === 0) due.push(place);
    }
    for (const [place, ahead] of answers) {
      if (ahead !== null || this.#places.get(place.session) !== place) continue;
      this.remove(place.session);
      this.#waitsNoMore(place.session);
    }
    this.#tellAll(due, phase, now);
  }

  /** Who is left over in a tick is still due in the next. */
  #tellAll(due: readonly OwnPlace[], phase: Phase, now: number): void {
    let told = 0;
    for (const place of due) {
      if (told === TOLD_PER_TICK_MAX) return;
      const position = this.#position(place.ahead, phase, now);
      if (same(position, place.told)) continue;
      place.told = position;
      place.toldAt = now;
      told++;
      this.#tell(place.session, position);
    }
  }

  #positionOfUnranked(): Position {
    const behind = this.#waiting;
    if (this.#unranked.behind !== behind) this.#unranked = { position: 0, behind, wait: null };
    return this.#unranked;
  }

  #position(ahead: number | null, phase: Phase, now: number): Position {
    if (ahead === null || phase === 'lobby') return this.#positionOfUnranked();
    const wait = estimateWait(ahead + 1, {
      measured: measuredRate(this.#rate, now),
      configured: this.#rules().admissionsPerSecond,
      paused: phase !== 'open',
    });
    return { position: ahead + 1, behind: Math.max(0, this.#waiting - ahead - 1), wait };
  }
}

/**
 * The most people that can be in front now, from what was known before and what the store says. Ranks only fall, so
 * that the lowest bound ever known holds, and who is told it never sees themselves move backwards [P4]. Only a room
 * that lost its places, and gives them back one by one, contradicts what was known; then the new truth counts.
 */
function stillAhead(before: number | null, least: number, most: number): number {
  return before === null || before < least ? most : Math.min(before, most);
}

/** Whether an interval is over; also one that began in the future, because then the clock was set back. */
function isOver(intervalMs: number, beganAt: number, now: number): boolean {
  return now - beganAt >= intervalMs || now < beganAt;
}

/** How long after one message a buyer with `ahead` people in front gets the next, in milliseconds. */
function pushIntervalMs(ahead: number): number {
  if (ahead < NEAR_PLACES) return NEAR_MS;
  return ahead < MIDDLE_PLACES ? MIDDLE_MS : FAR_MS;
}

function same(a: Position, b: Position): boolean {
  return (
    a.position === b.position &&
    a.behind === b.behind &&
    a.wait?.lowSeconds === b.wait?.lowSeconds &&
    a.wait?.highSeconds === b.wait?.highSeconds
  );
}

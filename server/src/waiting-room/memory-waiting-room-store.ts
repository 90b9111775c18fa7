import { randomUUID } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { OutsideReason } from '@stampede/shared/protocol/messages.ts';
import type { NetworkTag, SessionId, ShowId } from '../platform/ids.ts';
import { done, type Outcome, refuse } from '../platform/outcome.ts';
import type { FeedEntry, Notice } from '../feed/show-feed.ts';
import { drawScore, lateScore } from './draw-score.ts';
import { type Ranked, RankedQueue } from './ranked-queue.ts';
import { type Arrival, type LostPlace, RESTORING_MS } from './waiting-room-store.ts';
import type {
  AdmissionCheck,
  Ranks,
  Standing,
  WaitingRoomRules,
  WaitingRoomStore,
} from './waiting-room-store.ts';

/** Writes an entry to a show's feed, in the step that it tells of: it must not throw. */
export type Publish = (show: ShowId, entry: FeedEntry) => void;

/** How many of those who fell out are told why when they ask; the oldest are forgotten first [P7]. */
const OUTSIDE_REMEMBERED_MAX = 200_000;

/** Adding up tenths gives 0.999…; this much short of a whole token counts as one, and is owed by the next. */
const ROUNDING = 1e-9;
const MS_PER_SECOND = 1_000;

/** A place, and in the end an admission. */
interface Stay extends Ranked {
  readonly network: NetworkTag | null;
  /** A place ends with the grace time of an absent buyer, an admission at its deadline or, while they are away, before. */
  endsAt: number;
  /** When the buyer's presence was last told. */
  seenAt: number;
  admission: Admission | null;
}

interface Admission {
  readonly begunAt: number;
  readonly deadline: number;
  /** Given to an absent buyer who has not come back yet. */
  readonly claim: boolean;
}

/** The waiting room of one show. Every method runs to its end in one turn of the event loop: an atomic step. */
class MemoryWaitingRoom {
  readonly #name: string;
  readonly #publish: (notice: Notice) => void;
  readonly #stays = new Map<SessionId, Stay>();
  readonly #waiting = new RankedQueue<Stay>();
  /** Ends by instant, so that a sweep touches only those who are due. Stays that can't end are not in it. */
  readonly #ends = { places: new RankedQueue<Ranked>(), admissions: new RankedQueue<Ranked>() };
  readonly #outside = new Map<SessionId, OutsideReason>();
  /** Places and admissions by where they came from. */
  readonly #networks = new Map<NetworkTag, number>();
  #drawClosed = false;
  #lastLate = -1;
  /** Who was given a place of an earlier room back. */
  readonly #restored = new Set<SessionId>();
  /** Admissions in store at an instant, parts of one included; null before the first were given. */
  #bucket: { readonly tokens: number; readonly at: number } | null = null;
  #restoringSince: number | null = null;

  constructor(name: string, publish: (notice: Notice) => void) {
    this.#name = name;
    this.#publish = publish;
  }

  /** Whatever is asked at or past the opening, the draw is over from then on, also when the clock is set back. */
  noticeTime(rules: WaitingRoomRules, now: number): void {
    this.#drawClosed ||= now >= rules.opensAt;
  }

  join(
    rules: WaitingRoomRules,
    session: SessionId,
    { network = null, lost = null }: Arrival,
    now: number,
  ): Outcome<Standing> {
    if (!this.#live(session, now)) {
      if (this.#refusal(rules, network)) this.expire(rules, now);
      const refusal = this.#refusal(rules, network);
      if (refusal) return refuse(refusal);
      const score = this.#restore(session, lost, now) ?? this.#newScore(rules, session, now);
      const place = { session, network, score, endsAt: Infinity, seenAt: now, admission: null };
      this.#stays.set(session, place);
      this.#waiting.insert(place);
      this.#count(network, 1);
      this.#outside.delete(session);
    }
    return done(this.standing(session, now));
  }

  leave(session: SessionId, now: number): Standing {
    const stay = this.#live(session, now);
    if (stay) this.#end(stay, 'left');
    return this.standing(session, now);
  }

  finish(session: SessionId, orderedAt: number, now: number): Standing {
    const stay = this.#live(session, now);
    if (stay?.admission && stay.admission.begunAt <= orderedAt) this.#end(stay, 'finished');
    return this.standing(session, now);
  }

  standing(session: SessionId, now: number): Standing {
    const stay = this.#stays.get(session);
    if (!stay) return { state: 'outside', reason: this.#outside.get(session) ?? 'not-joined' };
    if (now >= stay.endsAt) return { state: 'outside', reason: 'expired' };
    if (stay.admission) return { state: 'admitted', deadline: stay.endsAt };
    const ahead = this.#drawClosed ? this.#waiting.rankOf(stay) : null;
    return { state: 'waiting', ahead, score: stay.score, room: this.#name };
  }

  ranks(sessions: readonly SessionId[], now: number): Ranks {
    const ahead = sessions.map((session) => {
      const stay = this.#stays.get(session);
      return this.#drawClosed && stay && !stay.admission ? this.#waiting.rankOf(stay) : null;
    });
    const admitted = this.#admittedCount(now);
    return { drawn: this.#drawClosed, waiting: this.#waiting.size, admitted, ahead };
  }

  admit(rules: WaitingRoomRules, now: number): number {
    if (now < rules.opensAt || this.#isRestoring(now)) return 0;
    const { admissionBurst: burst, admissionsPerSecond, admittedMax, opensAt } = rules;
    // Any stretch of t seconds gives at most burst + rate · t. A bucket that was filled in the future, before the
    // clock was set back, counts as filled now; a lowered burst holds at once.
    const elapsedMs = Math.max(0, now - (this.#bucket?.at ?? opensAt));
    const filled = (this.#bucket?.tokens ?? burst) + (elapsedMs * admissionsPerSecond) / MS_PER_SECOND;
    const tokens = Math.min(burst, filled);
    const allowed = Math.min(Math.floor(tokens + ROUNDING), admittedMax - this.#admittedCount(now));
    const admissions: { session: SessionId; deadline: number }[] = [];
    while (admissions.length < allowed) {
      const head = this.#waiting.first();
      if (!head) break;
      if (now >= head.endsAt) this.#end(head, 'expired');
      else admissions.push(this.#open(head, rules, now));
    }
    this.#bucket = { tokens: tokens - admissions.length, at: now };
    if (admissions.length > 0) this.#publish({ kind: 'admitted', admissions });
    return admissions.length;
  }

  expire(rules: WaitingRoomRules, now: number): number {
    this.#pullBack(rules, now);
    let count = 0;
    for (const ends of [this.#ends.admissions, this.#ends.places]) {
      for (let due = ends.first(); due && due.score <= now; due = ends.first()) {
        ends.remove(due);
        const stay = this.#stays.get(due.session);
        if (stay) this.#end(stay, 'expired');
        count++;
      }
    }
    return count;
  }

  setPresent(rules: WaitingRoomRules, session: SessionId, present: boolean, now: number): void {
    const stay = this.#live(session, now);
    if (!stay) return;
    const { admission } = stay;
    if (admission?.claim) {
      if (present) this.#openWhole(stay, rules, admission.begunAt, now);
      return;
    }
    if (present) stay.seenAt = now;
    const end = admission?.deadline ?? Infinity;
    this.#setEnd(stay, present ? end : Math.min(stay.endsAt, now + rules.graceMs));
  }

  isAdmitted(session: SessionId, now: number): boolean {
    const stay = this.#stays.get(session);
    return stay?.admission ? now < stay.endsAt : false;
  }

  #admittedCount(now: number): number {
    return this.#ends.admissions.size - this.#ends.admissions.countUpTo(now);
  }

  /**
   * Brings back ends that lie too far ahead because the clock was set back: a place's end to a grace time from now,
   * and an admission from the future to one from now, which its buyer is told.
   */
  #pullBack(rules: WaitingRoomRules, now: number): void {
    const { graceMs, admissionLifetimeMs } = rules;
    for (const { session } of this.#ends.places.after(now + graceMs)) {
      const stay = this.#stays.get(session);
      if (stay) this.#setEnd(stay, now + graceMs);
    }
    for (const { session } of this.#ends.admissions.after(now + admissionLifetimeMs)) {
      const stay = this.#stays.get(session);
      if (stay?.admission && stay.admission.begunAt > now) this.#openWhole(stay, rules, now, now);
    }
  }

  /** The session's stay if its time has not run out; what has run out is swept on the way. */
  #live(session: SessionId, now: number): Stay | undefined {
    const stay = this.#stays.get(session);
    if (!stay || now < stay.endsAt) return stay;
    this.#end(stay, 'expired');
    return undefined;
  }

  /** Turns a place into an admission. */
  #open(place: Stay, rules: WaitingRoomRules, now: number): { session: SessionId; deadline: number } {
    const claim = place.endsAt !== Infinity || now - place.seenAt >= rules.presenceMs;
    const lifetimeMs = claim ? Math.min(rules.claimMs, rules.admissionLifetimeMs) : rules.admissionLifetimeMs;
    const deadline = now + lifetimeMs;
    this.#waiting.remove(place);
    this.#setEnd(place, Infinity);
    place.admission = { begunAt: now, deadline, claim };
    this.#setEnd(place, deadline);
    return { session: place.session, deadline };
  }

  /** Makes an admission a whole one from now on, and tells its tabs. */
  #openWhole(stay: Stay, { admissionLifetimeMs }: WaitingRoomRules, begunAt: number, now: number): void {
    const deadline = now + admissionLifetimeMs;
    stay.admission = { begunAt, deadline, claim: false };
    this.#setEnd(stay, deadline);
    this.#publish({ kind: 'admitted', admissions: [{ session: stay.session, deadline }] });
  }

  #end(stay: Stay, reason: OutsideReason): void {
    if (!stay.admission) this.#waiting.remove(stay);
    this.#setEnd(stay, Infinity);
    const { network, session } = stay;
    this.#count(network, -1);
    this.#stays.delete(session);
    this.#outside.set(session, reason);
    const [oldest] = this.#outside.keys();
    if (this.#outside.size > OUTSIDE_REMEMBERED_MAX && oldest !== undefined) this.#outside.delete(oldest);
    this.#publish({ kind: 'outside', session, reason });
  }

  /** The score of a place that an earlier room gave; null where there is none to give back. */
  #restore(session: SessionId, lost: LostPlace | null, now: number): number | null {
    const isHeardOf = this.#outside.has(session) || this.#restored.has(session);
    if (!lost || lost.room === this.#name || isHeardOf) return null;
    this.#restored.add(session);
    this.#restoringSince ??= now;
    return lost.score;
  }

  #isRestoring(now: number): boolean {
    const since = this.#restoringSince;
    return since !== null && now >= since && now < since + RESTORING_MS;
  }

  #newScore({ drawSeed, opensAt }: WaitingRoomRules, session: SessionId, now: number): number {
    if (!this.#drawClosed) return drawScore(drawSeed, session);
    // In microseconds, of which 142 years are exact in a late score.
    this.#lastLate = Math.max(this.#lastLate + 1, Math.floor((now - opensAt) * 1_000), 0);
    return lateScore(this.#lastLate);
  }

  /** Why there is no room for somebody from a network. */
  #refusal({ queueMax, placesPerNetworkMax }: WaitingRoomRules, network: NetworkTag | null) {
    if (network !== null && (this.#networks.get(network) ?? 0) >= placesPerNetworkMax) return 'network-full';
    return this.#waiting.size >= queueMax ? 'queue-full' : null;
  }

  #count(network: NetworkTag | null, by: 1 | -1): void {
    if (network === null) return;
    const count = (this.#networks.get(network) ?? 0) + by;
    if (count > 0) this.#networks.set(network, count);
    else this.#networks.delete(network);
  }

  /** Moves the end of a stay, in its record and in the order of ends. */
  #setEnd(stay: Stay, endsAt: number): void {
    if (stay.endsAt === endsAt) return;
    const ends = stay.admission ? this.#ends.admissions : this.#ends.places;
    if (stay.endsAt !== Infinity) ends.remove({ score: stay.endsAt, session: stay.session });
    stay.endsAt = endsAt;
    if (endsAt !== Infinity) ends.insert({ score: endsAt, session: stay.session });
  }
}

/** Waiting rooms in this process: the embedded default. Places live as long as the process does. */
export class MemoryWaitingRoomStore implements WaitingRoomStore, AdmissionCheck {
  readonly #publish: Publish;
  readonly #clock: Clock;
  readonly #rooms = new Map<ShowId, MemoryWaitingRoom>();

  constructor(publish: Publish, clock: Clock) {
    this.#publish = publish;
    this.#clock = clock;
  }

  async join(rules: WaitingRoomRules, session: SessionId, arrival: Arrival = {}): Promise<Outcome<Standing>> {
    return this.#step(rules, (room, now) => room.join(rules, session, arrival, now));
  }

  async leave(rules: WaitingRoomRules, session: SessionId): Promise<Standing> {
    return this.#step(rules, (room, now) => room.leave(session, now));
  }

  async finish(rules: WaitingRoomRules, session: SessionId, orderedAt: number): Promise<Standing> {
    return this.#step(rules, (room, now) => room.finish(session, orderedAt, now));
  }

  async standing(rules: WaitingRoomRules, session: SessionId): Promise<Standing> {
    return this.#step(rules, (room, now) => room.standing(session, now));
  }

  async ranks(rules: WaitingRoomRules, sessions: readonly SessionId[]): Promise<Ranks> {
    return this.#step(rules, (room, now) => room.ranks(sessions, now));
  }

  async admit(rules: WaitingRoomRules): Promise<number> {
    return this.#step(rules, (room, now) => room.admit(rules, now));
  }

  async expire(rules: WaitingRoomRules): Promise<number> {
    return this.#step(rules, (room, now) => room.expire(rules, now));
  }

  async setPresent(rules: WaitingRoomRules, sessions: readonly SessionId[], present: boolean): Promise<void> {
    this.#step(rules, (room, now) => {
      for (const session of sessions) room.setPresent(rules, session, present, now);
    });
  }

  isAdmitted(show: ShowId, session: SessionId, now: number): boolean {
    return this.#rooms.get(show)?.isAdmitted(session, now) ?? false;
  }

  #step<T>(rules: WaitingRoomRules, decide: (room: MemoryWaitingRoom, now: number) => T): T {
    const { show } = rules;
    let room = this.#rooms.get(show);
    if (!room) {
      room = new MemoryWaitingRoom(randomUUID(), (notice) => this.#publish(show, { changes: [], notice }));
      this.#rooms.set(show, room);
    }
    const now = this.#clock.now();
    room.noticeTime(rules, now);
    return decide(room, now);
  }
}

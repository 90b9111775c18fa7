import type { OutsideReason } from '@stampede/shared/protocol/messages.ts';
import { drawScore, lateScore } from '../../src/waiting-room/draw-score.ts';
import type { SessionId } from '../../src/platform/ids.ts';
import type { WaitingRoomRules } from '../../src/waiting-room/waiting-room-store.ts';

/** One thing that happens to a waiting room; `afterMs` passes before it. */
export interface Step {
  readonly kind: 'join' | 'leave' | 'come' | 'go' | 'admit' | 'expire';
  readonly session: SessionId;
  readonly afterMs: number;
}

interface Stay {
  readonly session: SessionId;
  readonly score: number;
  admission: { deadline: number; claim: boolean } | null;
  /** Infinity for a place that can't end. */
  endsAt: number;
}

/**
 * What a waiting room must do, in the plainest words: everything is looked at every time, nothing is clever. The
 * property test holds every store against it.
 */
export class WaitingRoomModel {
  readonly #rules: WaitingRoomRules;
  #stays: Stay[] = [];
  #lastLate = -1;
  #tokens: number;
  #filledAt: number;
  readonly admissions: { session: SessionId; at: number; score: number }[] = [];
  readonly ended: { session: SessionId; reason: OutsideReason }[] = [];

  constructor(rules: WaitingRoomRules) {
    this.#rules = rules;
    this.#tokens = rules.admissionBurst;
    this.#filledAt = rules.opensAt;
  }

  apply(step: Step, now: number): void {
    if (step.kind === 'admit') {
      this.#admit(now);
      return;
    }
    this.#endDue((stay) => step.kind === 'expire' || stay.session === step.session, now);
    const stay = this.#stays.find(({ session }) => session === step.session);
    if (step.kind === 'join') {
      if (!stay) this.#join(step.session, now);
    } else if (stay && step.kind !== 'expire') {
      if (step.kind === 'leave') this.#end(stay, 'left');
      else if (step.kind === 'go') this.#go(stay, now);
      else this.#come(stay, now);
    }
  }

  standing(session: SessionId, now: number): object {
    const stay = this.#stays.find((one) => one.session === session);
    if (!stay) {
      const last = this.ended.findLast((one) => one.session === session);
      return { state: 'outside', reason: last?.reason ?? 'not-joined' };
    }
    if (stay.endsAt <= now) return { state: 'outside', reason: 'expired' };
    if (stay.admission) return { state: 'admitted', deadline: stay.endsAt };
    const ahead = now < this.#rules.opensAt ? null : this.#inLine().indexOf(stay);
    return { state: 'waiting', ahead, score: stay.score };
  }

  admittedCount(now: number): number {
    return this.#stays.filter(({ admission, endsAt }) => admission && endsAt > now).length;
  }

  get waiting(): number {
    return this.#inLine().length;
  }

  #inLine(): Stay[] {
    return this.#stays.filter(({ admission }) => !admission).sort((a, b) => a.score - b.score);
  }

  #join(session: SessionId, now: number): void {
    if (this.waiting >= this.#rules.queueMax) this.#endDue(() => true, now);
    if (this.waiting >= this.#rules.queueMax) return;
    const early = now < this.#rules.opensAt;
    const score = early ? drawScore(this.#rules.drawSeed, session) : this.#nextLate(now);
    this.#stays.push({ session, score, admission: null, endsAt: Infinity });
  }

  #nextLate(now: number): number {
    this.#lastLate = Math.max(this.#lastLate + 1, (now - this.#rules.opensAt) * 1_000);
    return lateScore(this.#lastLate);
  }

  #admit(now: number): void {
    const { opensAt, admissionsPerSecond, admissionBurst, admittedMax } = this.#rules;
    if (now < opensAt) return;
    const gained = ((now - this.#filledAt) / 1_000) * admissionsPerSecond;
    this.#tokens = Math.min(admissionBurst, this.#tokens + gained);
    this.#filledAt = now;
    for (const stay of this.#inLine()) {
      if (this.#tokens < 1 - 1e-9 || this.admittedCount(now) >= admittedMax) break;
      if (stay.endsAt <= now) {
        this.#end(stay, 'expired');
        continue;
      }
      const claim = stay.endsAt !== Infinity;
      const deadline = now + (claim ? this.#rules.claimMs : this.#rules.admissionLifetimeMs);
      stay.admission = { deadline, claim };
      stay.endsAt = deadline;
      this.#tokens -= 1;
      this.admissions.push({ session: stay.session, at: now, score: stay.score });
    }
  }

  #go(stay: Stay, now: number): void {
    if (!stay.admission?.claim) stay.endsAt = Math.min(stay.endsAt, now + this.#rules.graceMs);
  }

  #come(stay: Stay, now: number): void {
    if (stay.admission?.claim) {
      stay.admission = { deadline: now + this.#rules.admissionLifetimeMs, claim: false };
    }
    stay.endsAt = stay.admission?.deadline ?? Infinity;
  }

  #endDue(which: (stay: Stay) => boolean, now: number): void {
    for (const stay of this.#stays.filter((one) => one.endsAt <= now && which(one)))
      this.#end(stay, 'expired');
  }

  #end(stay: Stay, reason: OutsideReason): void {
    this.#stays = this.#stays.filter((one) => one !== stay);
    this.ended.push({ session: stay.session, reason });
  }
}

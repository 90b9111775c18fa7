import { type OutsideReason, outsideReasonNumbers } from '@stampede/shared/protocol/messages.ts';
import type { SessionId } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';
import { keysOfShow, showKey } from '../platform/redis-keys.ts';
import { listOf, numberOf, numbersOf, type Packed, PackingError, textOf } from '../platform/redis-packing.ts';
import { outcomeOf } from '../platform/redis-refusals.ts';
import type { RedisClient } from '../platform/redis.ts';
import { ShowSteps } from '../platform/show-steps.ts';
import { drawScore, LATE_SCORE_MIN } from './draw-score.ts';
import * as scripts from './redis-waiting-room-scripts.ts';
import type { Ranks, Standing, WaitingRoomRules, WaitingRoomStore } from './waiting-room-store.ts';

/** In one script call: what is more waits for the next, so that others are served in between. */
const EXPIRED_PER_CALL_MAX = 2_000;
const PRESENT_PER_STEP_MAX = 250;

/**
 * Waiting rooms in Redis, shared by any number of nodes. Each method is one step of a Lua script; `expire` is as many
 * as it takes, which changes nothing for anybody: what has run out counts as gone, swept or not. What buyers of a
 * show do in one turn of the event loop travels in one script call. The score of the draw is computed here, because
 * Lua in Redis has no HMAC.
 */
export class RedisWaitingRoomStore implements WaitingRoomStore {
  readonly #redis: RedisClient;
  /** One queue for all that buyers do: who goes and comes back within a turn is there. */
  readonly #steps: ShowSteps<Packed, unknown>;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    this.#steps = new ShowSteps(async (show, steps) =>
      listOf(await scripts.roomSteps.run(redis, keysOfShow(show), LATE_SCORE_MIN, steps)),
    );
  }

  async join(
    { show, opensAt, drawSeed, queueMax }: WaitingRoomRules,
    session: SessionId,
    now: number,
  ): Promise<Outcome<Standing>> {
    const step = ['join', now, opensAt, session, drawScore(drawSeed, session), queueMax];
    return outcomeOf(await this.#steps.take(show, step), standingOf);
  }

  async leave(
    { show, opensAt }: WaitingRoomRules,
    session: SessionId,
    reason: OutsideReason,
    now: number,
  ): Promise<Standing> {
    return standingOf(await this.#steps.take(show, ['leave', now, opensAt, session, reason]));
  }

  async standing({ show, opensAt }: WaitingRoomRules, session: SessionId, now: number): Promise<Standing> {
    return standingOf(await this.#steps.take(show, ['standing', now, opensAt, session]));
  }

  async ranks(
    { show, opensAt }: WaitingRoomRules,
    sessions: readonly SessionId[],
    now: number,
  ): Promise<Ranks> {
    const answer = await scripts.roomRanks.run(this.#redis, keysOfShow(show), now, opensAt, sessions);
    const [waiting, ahead] = listOf(answer);
    return { waiting: numberOf(waiting), ahead: numbersOf(ahead).map(aheadOf) };
  }

  async admit(rules: WaitingRoomRules, now: number): Promise<number> {
    return scripts.admit.run(
      this.#redis,
      keysOfShow(rules.show),
      now,
      rules.opensAt,
      rules.admissionsPerSecond,
      rules.admissionBurst,
      rules.admittedMax,
      rules.admissionLifetimeMs,
      rules.claimMs,
      rules.presenceMs,
    );
  }

  async expire({ show, opensAt }: WaitingRoomRules, now: number): Promise<number> {
    let total = 0;
    for (;;) {
      const most = EXPIRED_PER_CALL_MAX;
      const count = await scripts.expireRoom.run(this.#redis, keysOfShow(show), now, opensAt, most);
      total += count;
      if (count < most) return total;
    }
  }

  async setPresent(
    { show, opensAt, graceMs, admissionLifetimeMs }: WaitingRoomRules,
    sessions: readonly SessionId[],
    present: boolean,
    now: number,
  ): Promise<void> {
    for (let from = 0; from < sessions.length; from += PRESENT_PER_STEP_MAX) {
      const some = sessions.slice(from, from + PRESENT_PER_STEP_MAX);
      await this.#steps.take(show, ['present', now, opensAt, some, present, graceMs, admissionLifetimeMs]);
    }
  }

  async admittedCount({ show }: WaitingRoomRules, now: number): Promise<number> {
    return this.#redis.zcount(showKey(show, 'admitted'), `(${now}`, '+inf');
  }
}

/** Reads what `standing_of` in `lua/waiting-book.lua` answers. */
function standingOf(answer: unknown): Standing {
  const [state, first, second] = listOf(answer);
  switch (state) {
    case 'outside':
      return { state, reason: outsideReasonOf(textOf(first)) };
    case 'waiting':
      return { state, ahead: aheadOf(numberOf(first)), score: numberOf(second) };
    case 'admitted':
      return { state, deadline: numberOf(first) };
    default:
      throw new PackingError('a standing', answer);
  }
}

function aheadOf(ahead: number): number | null {
  return ahead < 0 ? null : ahead;
}

function outsideReasonOf(text: string): OutsideReason {
  if (!(text in outsideReasonNumbers)) throw new PackingError('a reason to be outside', text);
  return text as OutsideReason;
}

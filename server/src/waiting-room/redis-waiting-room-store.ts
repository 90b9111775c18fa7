import { randomUUID } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { type OutsideReason, outsideReasonNumbers } from '@stampede/shared/protocol/messages.ts';
import { gatherByShow } from '../platform/gathered-calls.ts';
import type { SessionId, ShowId } from '../platform/ids.ts';
import { defineScript } from '../platform/lua-script.ts';
import type { Outcome } from '../platform/outcome.ts';
import type { Outside } from '../platform/outside.ts';
import { keysOfShow } from '../platform/redis-keys.ts';
import {
  listOf,
  numberOf,
  numbersOf,
  outcomeOf,
  type Packed,
  PackingError,
  textOf,
  unpack,
} from '../platform/redis-packing.ts';
import type { RedisClient } from '../platform/redis.ts';
import { drawScore, LATE_SCORE_MIN } from './draw-score.ts';
import { type Arrival, PRESENT_PER_STEP_MAX, type Ranks, RESTORING_MS } from './waiting-room-store.ts';
import type { Standing, WaitingRoomRules, WaitingRoomStore } from './waiting-room-store.ts';

/** In one step: what is more waits for the next, so that others are served in between. */
const EXPIRED_PER_STEP_MAX = 2_000;

/** The instant is `false` where Redis's own clock tells the time. */
const roomSteps = defineScript<
  [given: number | false, lateScoreMin: number, newName: string, steps: Packed],
  readonly unknown[]
>(new URL('lua/room-steps.lua', import.meta.url), (raw) => listOf(unpack(raw)));

/**
 * Waiting rooms in Redis, shared by any number of nodes. Each method is one step of a Lua script; `expire` is as many
 * as it takes, which changes nothing for anybody: what has run out counts as gone, swept or not. What is asked for a
 * show in one turn of the event loop travels in one script call, in order: who goes and comes back within a turn is
 * there. The score of the draw is computed here, because Lua in Redis has no HMAC.
 */
export class RedisWaitingRoomStore implements WaitingRoomStore {
  readonly #step: (show: ShowId, step: Packed) => Promise<unknown>;

  /** @param clock tells the time instead of Redis: for tests, because it may differ from node to node */
  constructor(redis: RedisClient, outside: Pick<Outside, 'nextTurn'>, clock?: Clock) {
    this.#step = gatherByShow(outside, (show, steps) =>
      roomSteps.run(redis, keysOfShow(show), clock?.now() ?? false, LATE_SCORE_MIN, randomUUID(), steps),
    );
  }

  async join(
    rules: WaitingRoomRules,
    session: SessionId,
    { network = null, lost = null }: Arrival = {},
  ): Promise<Outcome<Standing>> {
    const { drawSeed, queueMax, placesPerNetworkMax } = rules;
    const place = [drawScore(drawSeed, session), network ?? false, queueMax, placesPerNetworkMax];
    const earlier = [lost?.room ?? false, lost?.score ?? false];
    return outcomeOf(await this.#take(rules, 'join', session, ...place, ...earlier), standingOf);
  }

  async leave(rules: WaitingRoomRules, session: SessionId): Promise<Standing> {
    return standingOf(await this.#take(rules, 'leave', session));
  }

  async finish(rules: WaitingRoomRules, session: SessionId, orderedAt: number): Promise<Standing> {
    return standingOf(await this.#take(rules, 'finish', session, orderedAt));
  }

  async standing(rules: WaitingRoomRules, session: SessionId): Promise<Standing> {
    return standingOf(await this.#take(rules, 'standing', session));
  }

  async ranks(rules: WaitingRoomRules, sessions: readonly SessionId[]): Promise<Ranks> {
    const [drawn, waiting, admitted, ahead] = listOf(await this.#take(rules, 'ranks', sessions));
    return {
      ...{ drawn: drawn === true, waiting: numberOf(waiting), admitted: numberOf(admitted) },
      ahead: numbersOf(ahead).map(aheadOf),
    };
  }

  async admit(rules: WaitingRoomRules): Promise<number> {
    const { admissionsPerSecond, admissionBurst, admittedMax } = rules;
    const { admissionLifetimeMs, claimMs, presenceMs } = rules;
    const rates = [admissionsPerSecond, admissionBurst, admittedMax];
    const times = [admissionLifetimeMs, claimMs, presenceMs, RESTORING_MS];
    return numberOf(await this.#take(rules, 'admit', ...rates, ...times));
  }

  async expire(rules: WaitingRoomRules): Promise<number> {
    const { graceMs, admissionLifetimeMs } = rules;
    for (let total = 0; ;) {
      const count = numberOf(
        await this.#take(rules, 'expire', graceMs, admissionLifetimeMs, EXPIRED_PER_STEP_MAX),
      );
      total += count;
      if (count < EXPIRED_PER_STEP_MAX) return total;
    }
  }

  async setPresent(rules: WaitingRoomRules, sessions: readonly SessionId[], present: boolean): Promise<void> {
    const { graceMs, admissionLifetimeMs } = rules;
    for (let from = 0; from < sessions.length; from += PRESENT_PER_STEP_MAX) {
      const some = sessions.slice(from, from + PRESENT_PER_STEP_MAX);
      await this.#take(rules, 'present', some, present, graceMs, admissionLifetimeMs);
    }
  }

  #take({ show, opensAt }: WaitingRoomRules, kind: string, ...rest: Packed[]): Promise<unknown> {
    return this.#step(show, [kind, opensAt, ...rest]);
  }
}

/** Reads what `standing_of` in `lua/room-steps.lua` answers. */
function standingOf(answer: unknown): Standing {
  const [state, first, second, third] = listOf(answer);
  switch (state) {
    case 'outside':
      return { state, reason: outsideReasonOf(textOf(first)) };
    case 'waiting':
      return { state, ahead: aheadOf(numberOf(first)), score: numberOf(second), room: textOf(third) };
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

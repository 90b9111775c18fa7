import { randomUUID } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { type OutsideReason, outsideReasonNumbers } from '@stampede/shared/protocol/messages.ts';
import type { SessionId } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';
import { keysOfShow } from '../platform/redis-keys.ts';
import { listOf, numberOf, numbersOf, type Packed, PackingError, textOf } from '../platform/redis-packing.ts';
import { outcomeOf } from '../platform/redis-refusals.ts';
import type { RedisClient } from '../platform/redis.ts';
import { ShowSteps } from '../platform/show-steps.ts';
import type { Outside } from '../platform/outside.ts';
import { drawScore, LATE_SCORE_MIN } from './draw-score.ts';
import * as scripts from './redis-waiting-room-scripts.ts';
import { RESTORING_MS } from './waiting-room-rules.ts';
import type { Arrival, Ranks, Standing, WaitingRoomRules, WaitingRoomStore } from './waiting-room-store.ts';

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
  readonly #given: () => number | false;
  /** One queue for all that buyers do: who goes and comes back within a turn is there. */
  readonly #steps: ShowSteps<Packed, unknown>;

  /** @param clock tells the time instead of Redis: for tests, because it may differ from node to node */
  constructor(redis: RedisClient, outside: Pick<Outside, 'nextTurn'>, clock?: Clock) {
    this.#redis = redis;
    this.#given = () => clock?.now() ?? false;
    this.#steps = new ShowSteps(outside, async (show, steps) => {
      const keys = keysOfShow(show);
      return listOf(
        await scripts.roomSteps.run(redis, keys, this.#given(), LATE_SCORE_MIN, randomUUID(), steps),
      );
    });
  }

  async join(
    { show, opensAt, drawSeed, queueMax, placesPerNetworkMax }: WaitingRoomRules,
    session: SessionId,
    { network = null, lost = null }: Arrival = {},
  ): Promise<Outcome<Standing>> {
    const places = [queueMax, placesPerNetworkMax];
    const step = [
      'join',
      opensAt,
      session,
      drawScore(drawSeed, session),
      network ?? false,
      ...places,
      lost?.room ?? false,
      lost?.score ?? false,
    ];
    return outcomeOf(await this.#steps.take(show, step), standingOf);
  }

  async leave({ show, opensAt }: WaitingRoomRules, session: SessionId): Promise<Standing> {
    return standingOf(await this.#steps.take(show, ['leave', opensAt, session]));
  }

  async finish(
    { show, opensAt }: WaitingRoomRules,
    session: SessionId,
    orderedAt: number,
  ): Promise<Standing> {
    return standingOf(await this.#steps.take(show, ['finish', opensAt, session, orderedAt]));
  }

  async standing({ show, opensAt }: WaitingRoomRules, session: SessionId): Promise<Standing> {
    return standingOf(await this.#steps.take(show, ['standing', opensAt, session]));
  }

  async ranks({ show, opensAt }: WaitingRoomRules, sessions: readonly SessionId[]): Promise<Ranks> {
    const keys = keysOfShow(show);
    const answer = await scripts.roomRanks.run(this.#redis, keys, this.#given(), opensAt, sessions);
    const [drawn, waiting, ahead] = listOf(answer);
    return { drawn: drawn === true, waiting: numberOf(waiting), ahead: numbersOf(ahead).map(aheadOf) };
  }

  async admit(rules: WaitingRoomRules): Promise<number> {
    return scripts.admit.run(
      this.#redis,
      keysOfShow(rules.show),
      this.#given(),
      rules.opensAt,
      rules.admissionsPerSecond,
      rules.admissionBurst,
      rules.admittedMax,
      rules.admissionLifetimeMs,
      rules.claimMs,
      rules.presenceMs,
      RESTORING_MS,
    );
  }

  async expire({ show, opensAt, graceMs, admissionLifetimeMs }: WaitingRoomRules): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await scripts.expireRoom.run(
        this.#redis,
        keysOfShow(show),
        this.#given(),
        opensAt,
        graceMs,
        admissionLifetimeMs,
        EXPIRED_PER_CALL_MAX,
      );
      total += count;
      if (count < EXPIRED_PER_CALL_MAX) return total;
    }
  }

  async setPresent(
    { show, opensAt, graceMs, admissionLifetimeMs }: WaitingRoomRules,
    sessions: readonly SessionId[],
    present: boolean,
  ): Promise<void> {
    for (let from = 0; from < sessions.length; from += PRESENT_PER_STEP_MAX) {
      const some = sessions.slice(from, from + PRESENT_PER_STEP_MAX);
      await this.#steps.take(show, ['present', opensAt, some, present, graceMs, admissionLifetimeMs]);
    }
  }

  async admittedCount({ show }: WaitingRoomRules): Promise<number> {
    return scripts.admittedCount.run(this.#redis, keysOfShow(show), this.#given());
  }
}

/** Reads what `standing_of` in `lua/waiting-book.lua` answers. */
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

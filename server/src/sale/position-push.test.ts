import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import type { Phase } from '@stampede/shared/protocol/messages.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type SessionId, sessionId, showId } from '../platform/ids.ts';
import { MemoryWaitingRoomStore } from '../waiting-room/memory-waiting-room-store.ts';
import { type Position, PositionPush } from './position-push.ts';
import { EXACT_PLACES_MAX } from '../waiting-room/rank-sampling.ts';
import type { WaitingRoomRules } from '../waiting-room/waiting-room-store.ts';

const OPENS_AT = 1_900_000_000_000;
const SECOND = 1_000;

const rules: WaitingRoomRules = {
  show: showId(1),
  opensAt: OPENS_AT,
  drawSeed: '00',
  admissionsPerSecond: 10,
  admissionBurst: 10,
  admittedMax: 100_000,
  admissionLifetimeMs: 600_000,
  graceMs: 60_000,
  presenceMs: 60_000,
  claimMs: 30_000,
  queueMax: 200_000,
  placesPerNetworkMax: 1_000,
};
const buyer = (index: number) => sessionId(`buyer-${String(index)}`);

/** The store in process, its clock set for each step, counting how often it is asked for ranks. */
class CountingStore extends MemoryWaitingRoomStore {
  readonly #clock: ManualClock;
  asked: number[] = [];

  constructor(clock = new ManualClock(OPENS_AT)) {
    super(() => undefined, clock);
    this.#clock = clock;
  }

  at(now: number): this {
    this.#clock.set(now - this.#clock.now());
    return this;
  }

  override async ranks(...[of, sessions]: Parameters<MemoryWaitingRoomStore['ranks']>) {
    this.asked.push(sessions.length);
    return super.ranks(of, sessions);
  }
}

describe('positions are pushed', () => {
  let store: CountingStore;
  let told: Map<SessionId, Position[]>;
  let strangers: SessionId[];
  let push: PositionPush;

  beforeEach(() => {
    store = new CountingStore();
    told = new Map();
    strangers = [];
    push = new PositionPush(
      store,
      () => rules,
      (session, position) => told.set(session, [...(told.get(session) ?? []), position]),
      (session) => strangers.push(session),
    );
  });

  /** Joins the store, and this node unless `elsewhere`. */
  async function join(session: SessionId, now: number, phase: Phase = 'open', elsewhere = false) {
    const joined = await store.at(now).join(rules, session);
    if (!joined.ok || joined.value.state !== 'waiting') throw new Error('no place');
    return elsewhere ? null : push.add(session, joined.value, phase, now);
  }

  async function joinMany(count: number, now: number, phase: Phase = 'open') {
    for (let index = 0; index < count; index++) await join(buyer(index), now, phase);
  }

  const lastOf = (session: SessionId) => told.get(session)?.at(-1);

  test('joining is answered at once', async () => {
    await join(buyer(0), OPENS_AT);
    expect(await join(buyer(1), OPENS_AT)).toMatchObject({ position: 2, behind: 0 });
  });

  test('[P4] a second tab sees the number that the first one was told', async () => {
    await joinMany(500, OPENS_AT);
    const standing = await store.at(OPENS_AT).standing(rules, buyer(400));
    if (standing.state !== 'waiting') throw new Error('no place');
    const guessed = push.add(buyer(400), { ...standing, ahead: 397 }, 'open', OPENS_AT);
    expect(push.add(buyer(400), standing, 'open', OPENS_AT)).toEqual(guessed);
    expect(push.size).toBe(500);
  });

  test('[P7] a tick asks the store once, and for few, however many wait', async () => {
    await joinMany(5_000, OPENS_AT);
    await push.tick('open', OPENS_AT + 10 * SECOND);
    expect(store.asked).toHaveLength(1);
    expect(store.asked[0]).toBeLessThan(1_000);
    // The last to come knows all there is to know.
    expect(told.size).toBe(4_999);
    expect(lastOf(buyer(4_321))?.position).toBe(4_322);
  });

  test('near the head every second, further back less often', async () => {
    await joinMany(300, OPENS_AT);
    for (let second = 1; second <= 10; second++) {
      await store.at(OPENS_AT + second * SECOND).admit(rules);
      for (let index = 0; index < second * 10; index++) push.remove(buyer(index));
      await push.tick('open', OPENS_AT + second * SECOND);
    }
    expect(told.get(buyer(110))).toHaveLength(10);
    expect(told.get(buyer(299))).toHaveLength(2);
    expect(lastOf(buyer(110))).toMatchObject({ position: 11, behind: 189 });
  });

  test('nothing is said when nothing changed', async () => {
    await joinMany(3, OPENS_AT);
    await push.tick('open', OPENS_AT + SECOND);
    told.clear();
    await push.tick('open', OPENS_AT + 2 * SECOND);
    expect(told.size).toBe(0);
    await join(buyer(9), OPENS_AT, 'open', true);
    await push.tick('open', OPENS_AT + 3 * SECOND);
    expect(lastOf(buyer(0))).toMatchObject({ position: 1, behind: 3 });
  });

  test('positions go on when the clock was set back', async () => {
    await joinMany(3, OPENS_AT + 3_600 * SECOND);
    push.remove(buyer(0));
    await store.at(OPENS_AT + SECOND).leave(rules, buyer(0));
    await push.tick('open', OPENS_AT + SECOND);
    expect(lastOf(buyer(2))?.position).toBe(2);
  });

  test('in the lobby: no rank, the number of people, every five seconds', async () => {
    const early = OPENS_AT - 60 * SECOND;
    await join(buyer(0), early, 'lobby');
    await join(buyer(1), early, 'lobby', true);
    await push.tick('lobby', early + 4 * SECOND);
    expect(told.size).toBe(0);
    await push.tick('lobby', early + 5 * SECOND);
    expect(lastOf(buyer(0))).toEqual({ position: 0, behind: 2, wait: null });
  });

  test('the draw is told in the first tick after the opening', async () => {
    await joinMany(1_000, OPENS_AT - 100, 'lobby');
    // This node's clock is ahead of the store's.
    await push.tick('open', OPENS_AT);
    expect(strangers).toEqual([]);
    store.at(OPENS_AT);
    await push.tick('open', OPENS_AT);
    expect(told.size).toBe(1_000);
    const drawn = [...told].map(([session, list]) => ({ session, position: list.at(-1)!.position }));
    const { ahead } = await store.ranks(
      rules,
      drawn.map(({ session }) => session),
    );
    for (const [index, { position }] of drawn.entries()) {
      const rank = ahead[index]! + 1;
      expect(position).toBeGreaterThanOrEqual(rank);
      expect(position).toBeLessThanOrEqual(rank <= EXACT_PLACES_MAX ? rank : rank + 10);
    }
  });

  test('[P4] a position never grows, though most of the queue is on other nodes', async () => {
    for (let index = 0; index < 4_000; index++) await join(buyer(index), OPENS_AT, 'open', index % 7 > 1);
    for (let second = 1; second <= 60; second++) {
      const now = OPENS_AT + second * SECOND;
      await store.at(now).admit(rules);
      for (let gone = second; gone < 4_000; gone += 97) await store.at(now).leave(rules, buyer(gone));
      await push.tick('open', now);
    }
    expect(told.size).toBeGreaterThan(500);
    for (const list of told.values()) {
      const positions = list.map(({ position }) => position);
      expect(positions).toEqual(positions.toSorted((a, b) => b - a));
    }
  });

  test('who waits no more though nobody said so gets no position, and is handed back to be told', async () => {
    await joinMany(2, OPENS_AT);
    await store.at(OPENS_AT).admit({ ...rules, admissionBurst: 1 });
    await push.tick('open', OPENS_AT + SECOND);
    expect(told.has(buyer(0))).toBe(false);
    expect(strangers).toEqual([buyer(0)]);
    expect(push.size).toBe(1);
    expect(lastOf(buyer(1))).toMatchObject({ position: 1, behind: 0 });
  });

  test('who comes anew while the store is asked keeps the new place', async () => {
    await joinMany(2, OPENS_AT);
    const asking = store.ranks.bind(store);
    store.ranks = async (...question) => {
      const answer = await asking(...question);
      await store.at(OPENS_AT).leave(rules, buyer(0));
      await join(buyer(0), OPENS_AT);
      return answer;
    };
    await push.tick('open', OPENS_AT + SECOND);
    expect(push.size).toBe(2);
    expect(strangers).toEqual([]);
    expect(told.has(buyer(0))).toBe(false);
  });

  test('a tick that fails changes nothing, and the next one is as good', async () => {
    await joinMany(2, OPENS_AT);
    const asking = store.ranks.bind(store);
    store.ranks = async () => Promise.reject(new Error('store down'));
    await expect(push.tick('open', OPENS_AT + SECOND)).rejects.toThrow('store down');
    store.ranks = asking;
    await push.tick('open', OPENS_AT + 2 * SECOND);
    expect(lastOf(buyer(0))).toMatchObject({ position: 1, behind: 1 });
  });

  test('the estimate uses the configured rate first, then the measured one, and none while paused', async () => {
    await joinMany(1_000, OPENS_AT);
    const answer = await join(buyer(1_000), OPENS_AT);
    const configured = answer?.wait;
    expect(configured?.lowSeconds).toBeLessThan(100);
    expect(configured?.highSeconds).toBeGreaterThan(100);
    for (let second = 10; second <= 70; second++) push.countAdmissions(2, OPENS_AT + second * SECOND);
    await push.tick('open', OPENS_AT + 70 * SECOND);
    expect(lastOf(buyer(1_000))?.wait?.lowSeconds).toBeGreaterThan(400);
    expect(lastOf(buyer(1_000))?.wait?.highSeconds).toBeLessThan(600);
    await push.tick('paused', OPENS_AT + 90 * SECOND);
    expect(lastOf(buyer(1_000))?.wait).toBeNull();
    await push.tick('open', OPENS_AT + 110 * SECOND);
    expect(lastOf(buyer(1_000))?.wait).toEqual(configured);
  });

  test('with nobody here, the store is left in peace', async () => {
    await push.tick('open', OPENS_AT);
    await push.tick('lobby', OPENS_AT);
    expect(store.asked).toEqual([]);
  });
});

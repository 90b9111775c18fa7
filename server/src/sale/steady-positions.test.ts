import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import type { Phase } from '@stampede/shared/protocol/messages.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SessionId, sessionId, showId } from '../platform/ids.ts';
import { MemoryWaitingRoomStore } from '../waiting-room/memory-waiting-room-store.ts';
import { PositionPush } from './position-push.ts';
import type { WaitingRoomRules } from '../waiting-room/waiting-room-store.ts';

const OPENS_AT = 1_900_000_000_000;
const rules: WaitingRoomRules = {
  show: showId(1),
  opensAt: OPENS_AT,
  drawSeed: 'ab'.repeat(32),
  admissionsPerSecond: 20,
  admissionBurst: 40,
  admittedMax: 100_000,
  admissionLifetimeMs: 600_000,
  graceMs: 60_000,
  presenceMs: 60_000,
  claimMs: 30_000,
  queueMax: 200_000,
  placesPerNetworkMax: 1_000,
};

/** A queue of which one node has a part, told to it second by second. */
class Evening {
  readonly #clock = new ManualClock(OPENS_AT - 60_000);
  readonly #store = new MemoryWaitingRoomStore(() => undefined, this.#clock);
  readonly #push = new PositionPush(
    this.#store,
    () => rules,
    (session, { position }) => this.#hear(session, position),
  );
  readonly #told = new Map<SessionId, number>();
  /** Who left a moment ago and of whom the feed has not told this node yet. */
  #gone: SessionId[] = [];
  readonly wrongs: string[] = [];

  #hear(session: SessionId, position: number): void {
    if (position === 0) return;
    const before = this.#told.get(session) ?? Infinity;
    if (position > before) this.wrongs.push(`${session} was told ${before}, then ${position}`);
    this.#told.set(session, position);
  }

  async come(session: SessionId, isHere: boolean): Promise<void> {
    const joined = await this.#store.join(rules, session);
    if (!joined.ok || joined.value.state !== 'waiting' || !isHere) return;
    const { position } = this.#push.add(session, joined.value, this.#phase, this.#clock.now());
    this.#hear(session, position);
  }

  async reload(session: SessionId): Promise<void> {
    this.#push.remove(session);
    await this.come(session, true);
  }

  async leave(session: SessionId): Promise<void> {
    await this.#store.leave(rules, session);
    this.#gone.push(session);
  }

  async second(): Promise<void> {
    this.#clock.advance(1_000);
    await this.#store.admit(rules);
    const late = this.#gone;
    this.#gone = [];
    await this.#push.tick(this.#phase, this.#clock.now());
    for (const session of late) this.#push.remove(session);
  }

  toTheOpening(): void {
    this.#clock.advance(OPENS_AT - this.#clock.now());
  }

  get #phase(): Phase {
    return this.#clock.now() < OPENS_AT ? 'lobby' : 'open';
  }
}

const anyEvening = fc.record({
  seed: fc.integer(),
  early: fc.integer({ min: 0, max: 2_500 }),
  late: fc.integer({ min: 0, max: 1_500 }),
  share: fc.double({ min: 0.1, max: 1, noNaN: true }),
  leavers: fc.integer({ min: 0, max: 40 }),
});

test('[P4] no position that a buyer is told is higher than one before, whoever leaves and reloads', async () => {
  await fc.assert(
    fc.asyncProperty(anyEvening, async ({ seed, early, late, share, leavers }) => {
      const evening = new Evening();
      const random = seededRandom(seed);
      const all = Array.from({ length: early + late }, (_, index) => sessionId(`buyer-${index}`));
      const here = new Set(all.filter(() => random() < share));
      const anybody = (): SessionId | undefined => all[Math.floor(random() * all.length)];
      for (const session of all.slice(0, early)) await evening.come(session, here.has(session));
      evening.toTheOpening();
      for (const session of all.slice(early)) await evening.come(session, here.has(session));
      const left = new Set<SessionId>();
      for (let second = 0; second < 25; second++) {
        for (let count = 0; count < leavers; count++) {
          const session = anybody();
          if (session && !left.has(session)) await evening.leave(session);
          if (session) left.add(session);
        }
        await evening.second();
        for (let count = 0; count < 20; count++) {
          const session = anybody();
          if (session && here.has(session) && !left.has(session)) await evening.reload(session);
        }
      }
      expect(evening.wrongs).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
